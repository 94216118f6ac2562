SELECT count(*) = 3 AND bool_and(indisvalid AND indisready) FROM pg_index
WHERE indexrelid IN (
    to_regclass('orders_customer_placed_idx'),
    to_regclass('orders_open_idx'),
    to_regclass('order_lines_product_idx')
);
