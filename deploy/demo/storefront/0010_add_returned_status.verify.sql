-- By name: the value itself may not be used before this transaction has ended.
SELECT count(*) = 1 FROM pg_enum
WHERE enumtypid = 'order_status'::regtype AND enumlabel = 'returned';
