-- What the other files read from: services, environments, who asks for runs, and the steps of each revision.
CREATE TEMP TABLE made_service (id bigint, revisions int, releases int) ON COMMIT DROP;
CREATE TEMP TABLE made_place (place int, environment_id bigint, service_id bigint, behind int) ON COMMIT DROP;
CREATE TEMP TABLE made_hand (place int, id int, username text) ON COMMIT DROP;
CREATE TEMP TABLE made_step (service_id bigint, position int, direction text, revision_id text, n int, of int, mode text,
  statements int, summary text, lock text, sql_sha256 text) ON COMMIT DROP;
SET LOCAL work_mem = '128MB';
SET LOCAL maintenance_work_mem = '256MB';
SET LOCAL statement_timeout = 0;
