-- What the application writes once it knows returned orders (0010) and events (0011).

UPDATE orders SET status = 'returned' WHERE status = 'delivered' AND mod(order_id, 41) = 0;

INSERT INTO orders_events (order_id, happened_at, kind, detail)
SELECT o.order_id, o.placed_at + step * interval '7 hours', kind, jsonb_build_object('source', 'storefront')
FROM orders o
CROSS JOIN LATERAL unnest(ARRAY['placed', 'paid', 'shipped', 'delivered']) WITH ORDINALITY AS happened (kind, step)
WHERE step <= CASE o.status
    WHEN 'placed' THEN 1 WHEN 'paid' THEN 2 WHEN 'shipped' THEN 3 WHEN 'cancelled' THEN 1 ELSE 2 + mod(o.order_id, 2) END;
