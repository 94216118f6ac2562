SELECT to_regclass('customers') IS NOT NULL;
SELECT count(*) = 2 FROM pg_constraint
WHERE conrelid = 'customers'::regclass AND contype = 'c' AND convalidated;
