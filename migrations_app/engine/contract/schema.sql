-- What Lockstep keeps in every target. One script, run in one transaction under an advisory lock.
CREATE SCHEMA IF NOT EXISTS lockstep;

CREATE TABLE lockstep.identity (                 -- which environment this database is
  id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  installation uuid NOT NULL, environment uuid NOT NULL,
  service text NOT NULL, name text NOT NULL,
  system_identifier text NOT NULL, database_oid bigint NOT NULL,  -- where it was when registered
  registered_at timestamptz NOT NULL DEFAULT clock_timestamp());

CREATE TABLE lockstep.lock (                     -- the fence: grows with every holder
  id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  fence bigint NOT NULL DEFAULT 0, holder uuid, worker text,
  backend_pid int, backend_start timestamptz, acquired_at timestamptz);
INSERT INTO lockstep.lock DEFAULT VALUES;

CREATE TABLE lockstep.migration_history (        -- receipts, append-only
  seq bigint PRIMARY KEY CHECK (seq > 0),
  prev_seq bigint UNIQUE CHECK (prev_seq = seq - 1),
  revision_id text NOT NULL CHECK (revision_id <> ''),
  parent text NOT NULL,                          -- '' for the first revision
  direction text NOT NULL CHECK (direction IN ('up', 'down')),
  cycle int NOT NULL DEFAULT 1 CHECK (cycle > 0),  -- 1 + earlier 'down' receipts of this revision
  head_before text NOT NULL GENERATED ALWAYS AS
    (CASE direction WHEN 'up' THEN parent ELSE revision_id END) STORED,
  head_after text NOT NULL GENERATED ALWAYS AS
    (CASE direction WHEN 'up' THEN revision_id ELSE parent END) STORED,
  checksum text NOT NULL, phase text NOT NULL, schema_rev text NOT NULL DEFAULT '',
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  operator text NOT NULL, run_id uuid NOT NULL, fence bigint NOT NULL,
  fp_before text NOT NULL, fp_after text NOT NULL,
  duration_ms bigint, server_version_num int, tool_version text,
  UNIQUE (revision_id, cycle, direction),
  UNIQUE (seq, head_after),
  FOREIGN KEY (prev_seq, head_before)
    REFERENCES lockstep.migration_history (seq, head_after),
  CHECK ((prev_seq IS NULL) = (seq = 1)),
  CHECK (seq > 1 OR head_before = ''));

CREATE VIEW lockstep.applied AS
  SELECT * FROM (SELECT DISTINCT ON (revision_id) * FROM lockstep.migration_history
                 ORDER BY revision_id, seq DESC) h WHERE direction = 'up';

CREATE TABLE lockstep.step (
  revision_id text, cycle int, direction text, n int, attempt int,
  run_id uuid NOT NULL, sql_sha256 text NOT NULL,
  mode text NOT NULL CHECK (mode IN ('tx', 'nontx', 'backfill')),
  status text NOT NULL CHECK (status IN ('intent', 'done', 'failed')),
  fence bigint NOT NULL, backend_pid int, backend_start timestamptz, xid xid8,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(), finished_at timestamptz,
  fp_after text, evidence jsonb,
  PRIMARY KEY (revision_id, cycle, direction, n, attempt));
CREATE UNIQUE INDEX step_done_once ON lockstep.step
  (revision_id, cycle, direction, n) WHERE status = 'done';

CREATE TABLE lockstep.progress (                 -- backfills
  revision_id text, cycle int, direction text, n int,
  last_key jsonb, rows_done bigint NOT NULL DEFAULT 0, fence bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (revision_id, cycle, direction, n));

CREATE FUNCTION lockstep.refuse() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE
  ON lockstep.migration_history FOR EACH STATEMENT EXECUTE FUNCTION lockstep.refuse();

GRANT USAGE ON SCHEMA lockstep TO PUBLIC;
GRANT SELECT ON lockstep.migration_history, lockstep.applied, lockstep.step, lockstep.lock,
  lockstep.progress, lockstep.identity TO PUBLIC;
