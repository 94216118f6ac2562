ALTER TABLE customers ADD COLUMN shipping_address text;

UPDATE customers c
SET shipping_address = a.address
FROM addresses a
WHERE a.customer_id = c.customer_id AND a.label = 'home';
