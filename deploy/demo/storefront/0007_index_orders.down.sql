DROP INDEX CONCURRENTLY order_lines_product_idx;
DROP INDEX CONCURRENTLY orders_open_idx;
DROP INDEX CONCURRENTLY orders_customer_placed_idx;
