SELECT count(*) = 2 FROM pg_constraint
WHERE conname IN ('orders_customer_fk', 'order_lines_product_fk') AND contype = 'f';
