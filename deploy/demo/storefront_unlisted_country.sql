-- A load test's account with a country that 0014 does not list: its verify script finds it.

INSERT INTO customers (email, full_name, country)
VALUES ('loadtest@example.net', 'Load Test', 'XX')
ON CONFLICT (email) DO NOTHING;

INSERT INTO orders (customer_id, note)
SELECT customer_id, 'load test'
FROM customers c
WHERE email = 'loadtest@example.net' AND NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = c.customer_id);
