-- lockstep: schema_rev sc-7
-- lockstep: phase expand
-- lockstep: parent 0006_unique_customer_email

CREATE INDEX CONCURRENTLY orders_customer_placed_idx ON orders (customer_id, placed_at DESC);

CREATE INDEX CONCURRENTLY orders_open_idx ON orders (placed_at) WHERE status IN ('placed', 'paid');

CREATE INDEX CONCURRENTLY order_lines_product_idx ON order_lines (product_id);
