-- lockstep: schema_rev sc-9
-- lockstep: phase expand
-- lockstep: parent 0008_touch_updated_at

CREATE FUNCTION order_total(wanted bigint) RETURNS numeric
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(sum(quantity * unit_price), 0)
    FROM order_lines
    WHERE order_id = wanted;
END;

CREATE FUNCTION customer_total(wanted bigint) RETURNS numeric
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(sum(order_total(order_id)), 0)
    FROM orders
    WHERE customer_id = wanted AND status <> 'cancelled';
END;
