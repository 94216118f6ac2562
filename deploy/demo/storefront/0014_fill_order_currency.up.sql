-- lockstep: schema_rev sc-14
-- lockstep: phase migrate
-- lockstep: parent 0013_add_order_currency

-- An order of a country that is not listed keeps no currency, and the verify script says so.
UPDATE orders o
SET currency = m.currency
FROM customers c
JOIN (VALUES
    ('AT', 'EUR'), ('DE', 'EUR'), ('ES', 'EUR'), ('FR', 'EUR'), ('IT', 'EUR'), ('NL', 'EUR'),
    ('CA', 'CAD'), ('US', 'USD'), ('AU', 'AUD'), ('JP', 'JPY'), ('SG', 'SGD')
) AS m (country, currency) ON m.country = c.country
WHERE c.customer_id = o.customer_id AND o.currency IS NULL;
