-- lockstep: schema_rev sc-6
-- lockstep: phase contract
-- lockstep: parent 0005_validate_order_foreign_keys

-- A writer that still allows a second account for one address is refused from here on.
CREATE UNIQUE INDEX CONCURRENTLY customers_email_key ON customers (email);

ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE USING INDEX customers_email_key;
