-- The application's own rows, written once the tables of 0003 exist. They belong to no revision.
-- %(customers)s is how many customers an environment has; everything else follows from it.

INSERT INTO categories (category_id, name)
OVERRIDING SYSTEM VALUE
SELECT i, (ARRAY['Tea', 'Coffee', 'Cups', 'Kettles', 'Biscuits', 'Honey', 'Gifts', 'Books'])[i]
FROM generate_series(1, 8) AS i;

INSERT INTO products (product_id, category_id, sku, title, price, in_stock)
OVERRIDING SYSTEM VALUE
SELECT i, 1 + mod(i, 8), 'SKU-' || lpad(i::text, 5, '0'), 'Product ' || i, 3.90 + mod(i * 37, 60), mod(i * 13, 200)
FROM generate_series(1, 240) AS i;

INSERT INTO customers (customer_id, email, full_name, country, created_at, updated_at, shipping_address)
OVERRIDING SYSTEM VALUE
SELECT
    i,
    'customer' || i || '@example.net',
    (ARRAY['Ada', 'Ben', 'Chloe', 'Dario', 'Emi', 'Farid', 'Greta', 'Hugo', 'Ines', 'Jun', 'Kofi'])[1 + mod(i, 11)]
        || ' '
        || (ARRAY['Adler', 'Brandt', 'Costa', 'Duval', 'Endo', 'Fischer', 'Garcia'])[1 + mod(i, 7)],
    (ARRAY['DE', 'FR', 'NL', 'US', 'US', 'CA', 'JP', 'AU', 'SG', 'IT', 'ES', 'AT'])[1 + mod(i * 5, 12)],
    at,
    at,
    CASE WHEN mod(i, 5) > 0 THEN mod(i * 17, 180) + 1 || ' Harbour Street' END
FROM generate_series(1, %(customers)s) AS i
CROSS JOIN LATERAL (SELECT timestamptz '2026-01-01 08:00:00+00' + mod(i * 97, 200) * interval '1 day') AS joined (at);

INSERT INTO orders (order_id, customer_id, status, placed_at, updated_at)
OVERRIDING SYSTEM VALUE
SELECT
    i,
    1 + mod(i * 7, %(customers)s),
    (CASE
        WHEN mod(i, 29) = 0 THEN 'cancelled'
        WHEN at > timestamptz '2026-10-20 00:00:00+00' THEN (ARRAY['placed', 'paid', 'shipped'])[1 + mod(i, 3)]
        ELSE 'delivered'
    END)::order_status,
    at,
    at
FROM generate_series(1, %(customers)s * 5 / 2) AS i
CROSS JOIN LATERAL (
    SELECT timestamptz '2026-07-20 06:00:00+00' + mod(i * 131, 103 * 1440) * interval '1 minute'
) AS placed (at);

INSERT INTO order_lines (order_id, line_no, product_id, quantity, unit_price)
SELECT o.order_id, line_no, p.product_id, 1 + mod(o.order_id + line_no, 3), p.price
FROM orders o
CROSS JOIN LATERAL generate_series(1, 1 + mod(o.order_id, 4)) AS line_no
JOIN products p ON p.product_id = 1 + mod(o.order_id * 11 + line_no * 29, 240);

SELECT
    setval(pg_get_serial_sequence('categories', 'category_id'), (SELECT max(category_id) FROM categories)),
    setval(pg_get_serial_sequence('products', 'product_id'), (SELECT max(product_id) FROM products)),
    setval(pg_get_serial_sequence('customers', 'customer_id'), (SELECT max(customer_id) FROM customers)),
    setval(pg_get_serial_sequence('orders', 'order_id'), (SELECT max(order_id) FROM orders));
