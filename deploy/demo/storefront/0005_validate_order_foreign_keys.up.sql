-- lockstep: schema_rev sc-5
-- lockstep: phase migrate
-- lockstep: parent 0004_add_order_foreign_keys

-- Reads every row, but lets readers and writers pass.
ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_fk;

ALTER TABLE order_lines VALIDATE CONSTRAINT order_lines_product_fk;
