SELECT attnotnull FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'currency';
SELECT convalidated FROM pg_constraint
WHERE conrelid = 'orders'::regclass AND conname = 'orders_currency_iso';
