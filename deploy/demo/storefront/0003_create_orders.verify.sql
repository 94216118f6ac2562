SELECT to_regclass('orders') IS NOT NULL AND to_regclass('order_lines') IS NOT NULL;
SELECT array_agg(enumlabel::text ORDER BY enumsortorder)
     = ARRAY['placed', 'paid', 'shipped', 'delivered', 'cancelled']
FROM pg_enum WHERE enumtypid = 'order_status'::regtype;
