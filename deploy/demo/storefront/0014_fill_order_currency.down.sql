-- Takes back only what the up script would find again by itself.
UPDATE orders o
SET currency = NULL
FROM customers c
JOIN (VALUES
    ('AT', 'EUR'), ('DE', 'EUR'), ('ES', 'EUR'), ('FR', 'EUR'), ('IT', 'EUR'), ('NL', 'EUR'),
    ('CA', 'CAD'), ('US', 'USD'), ('AU', 'AUD'), ('JP', 'JPY'), ('SG', 'SGD')
) AS m (country, currency) ON m.country = c.country
WHERE c.customer_id = o.customer_id AND o.currency = m.currency;
