ALTER TABLE orders DROP CONSTRAINT orders_currency_iso;
ALTER TABLE orders DROP COLUMN currency;
