-- lockstep: schema_rev sc-16
-- lockstep: phase expand
-- lockstep: parent 0015_require_order_currency

-- A customer may have several addresses; customers.shipping_address had room for one.
CREATE TABLE addresses (
    customer_id bigint NOT NULL,
    label text NOT NULL DEFAULT 'home',
    address text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, label)
);

ALTER TABLE addresses
    ADD CONSTRAINT addresses_customer_fk
    FOREIGN KEY (customer_id) REFERENCES customers (customer_id) NOT VALID;
