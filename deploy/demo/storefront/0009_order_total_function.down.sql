DROP FUNCTION customer_total(bigint);
DROP FUNCTION order_total(bigint);
