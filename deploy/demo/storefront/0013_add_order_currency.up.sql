-- lockstep: schema_rev sc-13
-- lockstep: phase expand
-- lockstep: parent 0012_create_sales_by_day

-- No default: the release that comes with this revision writes the currency of each new order.
ALTER TABLE orders ADD COLUMN currency text;

ALTER TABLE orders
    ADD CONSTRAINT orders_currency_iso CHECK (currency ~ '^[A-Z]{3}$') NOT VALID;
