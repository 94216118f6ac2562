SELECT count(*) = 4 FROM pg_inherits WHERE inhparent = 'public.orders_events'::regclass;
SELECT count(*) = 5 AND bool_and(indisvalid) FROM pg_index
WHERE indrelid IN (SELECT relid FROM pg_partition_tree('public.orders_events')) AND NOT indisprimary;
