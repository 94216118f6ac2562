-- lockstep: schema_rev sc-1
-- lockstep: phase expand

CREATE TABLE customers (
    customer_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL,
    full_name text NOT NULL,
    country text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    shipping_address text,
    CONSTRAINT customers_email_lower CHECK (email = lower(email)),
    CONSTRAINT customers_country_iso CHECK (country ~ '^[A-Z]{2}$')
);

COMMENT ON TABLE customers IS 'People who have an account; a person without one has no row';
