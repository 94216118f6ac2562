SELECT NOT EXISTS (
    SELECT FROM customers c
    WHERE c.shipping_address IS NOT NULL
      AND NOT EXISTS (SELECT FROM addresses a WHERE a.customer_id = c.customer_id AND a.label = 'home')
);
SELECT convalidated FROM pg_constraint
WHERE conrelid = 'addresses'::regclass AND conname = 'addresses_customer_fk';
