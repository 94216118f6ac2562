ALTER TABLE orders
    ALTER COLUMN currency DROP NOT NULL,
    DROP CONSTRAINT orders_currency_iso,
    ADD CONSTRAINT orders_currency_iso CHECK (currency ~ '^[A-Z]{3}$') NOT VALID;
