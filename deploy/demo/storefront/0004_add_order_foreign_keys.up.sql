-- lockstep: schema_rev sc-4
-- lockstep: phase expand
-- lockstep: parent 0003_create_orders

-- NOT VALID checks new rows at once and leaves the scan of the old ones to 0005.
ALTER TABLE orders
    ADD CONSTRAINT orders_customer_fk
    FOREIGN KEY (customer_id) REFERENCES customers (customer_id) NOT VALID;

ALTER TABLE order_lines
    ADD CONSTRAINT order_lines_product_fk
    FOREIGN KEY (product_id) REFERENCES products (product_id) NOT VALID;
