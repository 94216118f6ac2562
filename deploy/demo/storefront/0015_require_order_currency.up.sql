-- lockstep: schema_rev sc-15
-- lockstep: phase contract
-- lockstep: parent 0014_fill_order_currency

-- With a validated CHECK in place, SET NOT NULL does not read the table again under its lock.
ALTER TABLE orders
    ADD CONSTRAINT orders_currency_given CHECK (currency IS NOT NULL) NOT VALID;

ALTER TABLE orders VALIDATE CONSTRAINT orders_currency_given;

ALTER TABLE orders VALIDATE CONSTRAINT orders_currency_iso;

ALTER TABLE orders ALTER COLUMN currency SET NOT NULL;

ALTER TABLE orders DROP CONSTRAINT orders_currency_given;
