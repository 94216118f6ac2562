-- What somebody on call typed into production on a busy evening. No revision knows of it: Lockstep finds it as drift.
CREATE INDEX IF NOT EXISTS orders_status_placed_idx ON orders (status, placed_at);
