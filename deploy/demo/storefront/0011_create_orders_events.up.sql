-- lockstep: schema_rev sc-11
-- lockstep: phase expand
-- lockstep: parent 0010_add_returned_status

SET search_path = public;

-- No foreign key to orders: an event outlives an order that was archived.
CREATE TABLE orders_events (
    event_id uuid NOT NULL DEFAULT gen_random_uuid(),
    order_id bigint NOT NULL,
    happened_at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (happened_at, event_id)
) PARTITION BY RANGE (happened_at);

CREATE INDEX orders_events_order_idx ON orders_events (order_id, happened_at);

CREATE TABLE orders_events_2026_q1 PARTITION OF orders_events
    FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-04-01 00:00:00+00');
CREATE TABLE orders_events_2026_q2 PARTITION OF orders_events
    FOR VALUES FROM ('2026-04-01 00:00:00+00') TO ('2026-07-01 00:00:00+00');
CREATE TABLE orders_events_2026_q3 PARTITION OF orders_events
    FOR VALUES FROM ('2026-07-01 00:00:00+00') TO ('2026-10-01 00:00:00+00');
CREATE TABLE orders_events_2026_q4 PARTITION OF orders_events
    FOR VALUES FROM ('2026-10-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
