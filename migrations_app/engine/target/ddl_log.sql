-- Two event triggers that write down who changes the schema. They must never make a change fail or wait: whatever goes
-- wrong in them is swallowed, their own lock waits are short, and they run with the rights of whoever installed them.
-- In the schema lockstep, so the fingerprint does not know them.
CREATE TABLE IF NOT EXISTS lockstep.ddl_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  login text NOT NULL,
  role text NOT NULL,
  application text NOT NULL,
  address text NOT NULL,
  tag text NOT NULL,
  object text NOT NULL,
  statement text NOT NULL
);
REVOKE ALL ON lockstep.ddl_log FROM PUBLIC;

CREATE OR REPLACE FUNCTION lockstep.log_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $function$
DECLARE
  source text;
  acting text;
  written bigint;
BEGIN
  source := left(current_query(), 2000);
  acting := current_setting('role');
  -- The text of what sets a password is not kept; the rest of the message it came in goes with it.
  IF source ~* 'password|connection\s+''' THEN
    source := '(not kept: it may hold a password)';
  END IF;
  IF TG_EVENT = 'sql_drop' THEN
    INSERT INTO lockstep.ddl_log (login, role, application, address, tag, object, statement)
    SELECT session_user, CASE acting WHEN 'none' THEN session_user ELSE acting END,
           left(current_setting('application_name'), 200), coalesce(host(inet_client_addr()), 'local'), TG_TAG,
           left(d.object_type || ' ' || d.object_identity, 500), source
      FROM pg_event_trigger_dropped_objects() d
     WHERE d.original AND NOT d.is_temporary AND d.schema_name IS DISTINCT FROM 'lockstep' LIMIT 50;
  ELSE
    INSERT INTO lockstep.ddl_log (login, role, application, address, tag, object, statement)
    SELECT session_user, CASE acting WHEN 'none' THEN session_user ELSE acting END,
           left(current_setting('application_name'), 200), coalesce(host(inet_client_addr()), 'local'), c.command_tag,
           left(c.object_type || ' ' || c.object_identity, 500), source
      FROM pg_event_trigger_ddl_commands() c
     WHERE c.schema_name IS NULL OR c.schema_name NOT IN ('lockstep', 'pg_temp') LIMIT 50;
  END IF;
  -- The newest ten thousand are kept; what another session is taking away is left to it.
  SELECT max(id) INTO written FROM lockstep.ddl_log;
  DELETE FROM lockstep.ddl_log WHERE id IN (
    SELECT id FROM lockstep.ddl_log WHERE id < written - 10000 ORDER BY id LIMIT 200 FOR UPDATE SKIP LOCKED);
EXCEPTION WHEN OTHERS THEN
  NULL;
END
$function$;
REVOKE ALL ON FUNCTION lockstep.log_ddl() FROM PUBLIC;

DROP EVENT TRIGGER IF EXISTS lockstep_ddl_end;
CREATE EVENT TRIGGER lockstep_ddl_end ON ddl_command_end EXECUTE FUNCTION lockstep.log_ddl();
DROP EVENT TRIGGER IF EXISTS lockstep_ddl_drop;
CREATE EVENT TRIGGER lockstep_ddl_drop ON sql_drop EXECUTE FUNCTION lockstep.log_ddl();
