-- lockstep: schema_rev sc-12
-- lockstep: phase expand
-- lockstep: parent 0011_create_orders_events

CREATE MATERIALIZED VIEW sales_by_day AS
SELECT
    (o.placed_at AT TIME ZONE 'UTC')::date AS day,
    count(DISTINCT o.order_id) AS orders,
    count(DISTINCT o.order_id) FILTER (WHERE o.status = 'returned') AS returned,
    coalesce(sum(l.quantity * l.unit_price) FILTER (WHERE o.status <> 'returned'), 0) AS revenue
FROM orders o
JOIN order_lines l USING (order_id)
WHERE o.status <> 'cancelled'
GROUP BY 1;

-- REFRESH … CONCURRENTLY, which lets readers pass, needs a unique index.
CREATE UNIQUE INDEX sales_by_day_day_idx ON sales_by_day (day);
