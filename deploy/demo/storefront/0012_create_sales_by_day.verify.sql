SELECT relispopulated FROM pg_class WHERE oid = 'sales_by_day'::regclass;
SELECT indisunique AND indisvalid FROM pg_index WHERE indexrelid = 'sales_by_day_day_idx'::regclass;
SELECT coalesce(min(orders) > 0 AND min(revenue) >= 0, true) FROM sales_by_day;
