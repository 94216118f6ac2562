-- lockstep: schema_rev sc-2
-- lockstep: phase expand
-- lockstep: parent 0001_create_customers

BEGIN;

CREATE TABLE categories (
    category_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    CONSTRAINT categories_name_key UNIQUE (name)
);

CREATE TABLE products (
    product_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    category_id int NOT NULL,
    sku text NOT NULL,
    title text NOT NULL,
    price numeric(12, 2) NOT NULL,
    in_stock int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT products_sku_key UNIQUE (sku),
    CONSTRAINT products_category_fk FOREIGN KEY (category_id) REFERENCES categories (category_id),
    CONSTRAINT products_price_not_negative CHECK (price >= 0),
    CONSTRAINT products_stock_not_negative CHECK (in_stock >= 0)
);

CREATE INDEX products_category_idx ON products (category_id);

COMMIT;
