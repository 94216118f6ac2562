-- What the operator did about it before trying again.

UPDATE customers SET country = 'US' WHERE email = 'loadtest@example.net' AND country = 'XX';
