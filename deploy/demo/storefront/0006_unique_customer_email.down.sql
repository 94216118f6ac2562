-- The index belongs to the constraint and goes with it.
ALTER TABLE customers DROP CONSTRAINT customers_email_key;
