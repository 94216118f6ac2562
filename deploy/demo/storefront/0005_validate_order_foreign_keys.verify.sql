SELECT count(*) = 2 AND bool_and(convalidated) FROM pg_constraint
WHERE conname IN ('orders_customer_fk', 'order_lines_product_fk');
