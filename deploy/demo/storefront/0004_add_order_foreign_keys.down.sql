ALTER TABLE order_lines DROP CONSTRAINT order_lines_product_fk;
ALTER TABLE orders DROP CONSTRAINT orders_customer_fk;
