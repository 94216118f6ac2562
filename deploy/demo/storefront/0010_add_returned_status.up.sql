-- lockstep: schema_rev sc-10
-- lockstep: phase expand
-- lockstep: parent 0009_order_total_function

-- PostgreSQL cannot take a value out of an enum, so there is no down file.
ALTER TYPE order_status ADD VALUE 'returned' AFTER 'delivered';
