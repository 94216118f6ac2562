BEGIN;

DROP TABLE products;
DROP TABLE categories;

COMMIT;
