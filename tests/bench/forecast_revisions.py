"""A shop's tables, and more than thirty revisions of different kinds, one after the other."""

from __future__ import annotations

TABLES = """
CREATE TABLE customers (id int PRIMARY KEY, name text, country text);
CREATE TABLE orders (
    id int PRIMARY KEY, customer_id int, status text, total numeric(10,2), note text, placed timestamp, parts int,
    reference int, weight int
);
CREATE TABLE lines (id int NOT NULL, order_id int, sku text, quantity int);
INSERT INTO customers SELECT g, 'customer ' || g, 'country ' || g % 50 FROM generate_series(1, {customers}) g;
INSERT INTO orders
SELECT g, 1 + g % {customers}, (ARRAY['new', 'paid', 'sent'])[1 + g % 3], g % 1000, md5(g::text),
       timestamp '2026-01-01' + g * interval '1 minute', g % 10, hashint4(g), g % 100
FROM generate_series(1, {orders}) g;
INSERT INTO lines SELECT g, 1 + g % {orders}, 'sku ' || g % 5000, g % 7 FROM generate_series(1, {lines}) g;
"""

REVISIONS = (
    "CREATE INDEX orders_customer ON orders (customer_id)",
    "CREATE INDEX CONCURRENTLY orders_placed ON orders (placed)",
    "ALTER TABLE orders ADD CONSTRAINT orders_total CHECK (total >= 0)",
    "ALTER TABLE lines ADD CONSTRAINT lines_quantity CHECK (quantity >= 0) NOT VALID",
    "ALTER TABLE lines VALIDATE CONSTRAINT lines_quantity",
    "ALTER TABLE orders ALTER COLUMN status SET NOT NULL",
    "ALTER TABLE orders ALTER COLUMN parts TYPE bigint",
    "ALTER TABLE lines ADD COLUMN token uuid DEFAULT gen_random_uuid()",
    "ALTER TABLE orders ADD COLUMN gross numeric GENERATED ALWAYS AS (total * 1.19) STORED",
    "ALTER TABLE orders ADD COLUMN channel text",
    "UPDATE orders SET channel = concat('web ', status)",
    "UPDATE orders SET note = upper(note) WHERE id % 3 = 0",
    "DELETE FROM lines WHERE id % 5 = 0",
    "ALTER TABLE orders ADD CONSTRAINT orders_placed_once UNIQUE (placed, id)",
    "CREATE UNIQUE INDEX CONCURRENTLY lines_id ON lines (id)",
    "ALTER TABLE lines ADD CONSTRAINT lines_pkey PRIMARY KEY USING INDEX lines_id",
    "ALTER TABLE lines ADD CONSTRAINT lines_order FOREIGN KEY (order_id) REFERENCES orders",
    "ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers NOT VALID",
    "ALTER TABLE orders VALIDATE CONSTRAINT orders_customer",
    "CREATE TABLE spent AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id",
    "CREATE TABLE archive AS SELECT * FROM orders WHERE id % 2 = 0",
    "INSERT INTO archive SELECT * FROM orders WHERE id % 4 = 1",
    "CREATE INDEX archive_placed ON archive (placed)",
    "CLUSTER orders USING orders_customer",
    "REINDEX TABLE orders",
    "REINDEX INDEX CONCURRENTLY orders_placed",
    "CREATE MATERIALIZED VIEW by_day AS SELECT placed::date AS day, count(*) FROM orders GROUP BY 1",
    "REFRESH MATERIALIZED VIEW by_day",
    "VACUUM lines",
    "CREATE INDEX orders_note ON orders (lower(note))",
    "UPDATE orders o SET weight = weight + 1 FROM customers c WHERE c.id = o.customer_id AND c.country = 'country 7'",
    "DO $$ DECLARE one record; BEGIN FOR one IN SELECT id FROM customers LOOP"
    " UPDATE customers SET name = name || '.' WHERE id = one.id; END LOOP; END $$",
)
