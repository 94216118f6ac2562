-- The partitions are part of the table and go with it.
DROP TABLE orders_events;
