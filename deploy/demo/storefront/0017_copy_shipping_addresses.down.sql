ALTER TABLE addresses
    DROP CONSTRAINT addresses_customer_fk,
    ADD CONSTRAINT addresses_customer_fk
    FOREIGN KEY (customer_id) REFERENCES customers (customer_id) NOT VALID;

-- Takes back only what still stands in customers.
DELETE FROM addresses a
USING customers c
WHERE c.customer_id = a.customer_id AND a.label = 'home' AND a.address = c.shipping_address;
