-- One statement per table, so that no moment passes without the foreign key.
ALTER TABLE order_lines
    DROP CONSTRAINT order_lines_product_fk,
    ADD CONSTRAINT order_lines_product_fk
    FOREIGN KEY (product_id) REFERENCES products (product_id) NOT VALID;

ALTER TABLE orders
    DROP CONSTRAINT orders_customer_fk,
    ADD CONSTRAINT orders_customer_fk
    FOREIGN KEY (customer_id) REFERENCES customers (customer_id) NOT VALID;
