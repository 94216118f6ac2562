SELECT count(*) = 1 FROM pg_attribute
WHERE attrelid = 'orders'::regclass AND attname = 'currency' AND NOT attnotnull AND NOT attisdropped;
