-- lockstep: schema_rev sc-17
-- lockstep: phase migrate
-- lockstep: parent 0016_create_addresses

INSERT INTO addresses (customer_id, label, address)
SELECT customer_id, 'home', shipping_address
FROM customers
WHERE shipping_address IS NOT NULL
ON CONFLICT (customer_id, label) DO NOTHING;

ALTER TABLE addresses VALIDATE CONSTRAINT addresses_customer_fk;
