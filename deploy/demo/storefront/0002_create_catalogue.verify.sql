SELECT to_regclass('categories') IS NOT NULL AND to_regclass('products') IS NOT NULL;
SELECT bool_and(convalidated) FROM pg_constraint WHERE conrelid = 'products'::regclass;
