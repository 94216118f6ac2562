SELECT order_total(-1) = 0;
SELECT customer_total(-1) = 0;
