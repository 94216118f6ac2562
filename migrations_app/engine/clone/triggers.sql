-- What the catalogue forgets once it happened, kept in settings of the session: they cost no table and no lock.
CREATE SCHEMA IF NOT EXISTS lockstep_trace;

CREATE OR REPLACE FUNCTION lockstep_trace.dropped() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('lockstep_trace.dropped',
        (coalesce(nullif(current_setting('lockstep_trace.dropped', true), ''), '[]')::jsonb
         || coalesce((SELECT jsonb_agg(jsonb_build_array(object_type, object_identity, original, normal))
                      FROM pg_event_trigger_dropped_objects()
                      WHERE NOT is_temporary AND schema_name IS DISTINCT FROM 'pg_toast'), '[]'))::text, false);
END $$;

CREATE OR REPLACE FUNCTION lockstep_trace.rewritten() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('lockstep_trace.rewritten',
        (coalesce(nullif(current_setting('lockstep_trace.rewritten', true), ''), '[]')::jsonb
         || jsonb_build_array(jsonb_build_array(pg_event_trigger_table_rewrite_oid()::bigint,
                                                pg_event_trigger_table_rewrite_reason())))::text, false);
END $$;

-- The first hundred: they tell what a function or a DO block did, and each one costs more than the one before.
CREATE OR REPLACE FUNCTION lockstep_trace.ran() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    known jsonb := coalesce(nullif(current_setting('lockstep_trace.ran', true), ''), '[]')::jsonb;
BEGIN
    IF jsonb_array_length(known) < 100 THEN
        PERFORM set_config('lockstep_trace.ran',
            (known || coalesce((SELECT jsonb_agg(concat_ws(' ', command_tag, object_identity))
                                FROM pg_event_trigger_ddl_commands()), '[]'))::text, false);
    END IF;
END $$;

DROP EVENT TRIGGER IF EXISTS lockstep_trace_dropped;
DROP EVENT TRIGGER IF EXISTS lockstep_trace_rewritten;
DROP EVENT TRIGGER IF EXISTS lockstep_trace_ran;
CREATE EVENT TRIGGER lockstep_trace_dropped ON sql_drop EXECUTE FUNCTION lockstep_trace.dropped();
CREATE EVENT TRIGGER lockstep_trace_rewritten ON table_rewrite EXECUTE FUNCTION lockstep_trace.rewritten();
CREATE EVENT TRIGGER lockstep_trace_ran ON ddl_command_end EXECUTE FUNCTION lockstep_trace.ran();
