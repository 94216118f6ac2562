-- Take the audit log and what people sign out of the hands of the application's role: a role of its own owns it, and the
-- application may read it, add to it through the one function, and nothing else. It cannot switch a trigger off then.
--
-- As a superuser, in the control database, as often as you like:
--   psql -c "SET lockstep.application = 'lockstep'" -f deploy/sql/audit_owner.sql DATABASE
-- Before an upgrade that changes these tables (`migrate` says "must be owner"), hand them back, and run it again after:
--   psql -c "SET lockstep.application = 'lockstep'" -c "SET lockstep.hand_back = 'yes'" -f deploy/sql/audit_owner.sql DATABASE
DO $owner$
DECLARE
    application text := current_setting('lockstep.application');
    hand_back boolean := coalesce(current_setting('lockstep.hand_back', true), '') = 'yes';
    here text := current_schema();
    keeper text := 'lockstep_audit';
    owner text;
    kept text;
    -- Columns that the application may change; to lock a row takes one, and a trigger refuses the change itself.
    changes jsonb := '{"evidenceartefact": ["sha256"], "releasestate": ["catalogue_id", "status", "version", "changed_at"],
        "cutover": ["status", "sentence", "ended_at", "version", "acting_id", "back_since", "back_reason",
            "targets_hash"]}';
    named text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = application) THEN
        RAISE EXCEPTION 'there is no role %: set lockstep.application to the one in LOCKSTEP_DATABASE_URL', application;
    END IF;
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = application) THEN
        RAISE EXCEPTION 'the role % is a superuser, whom nothing here keeps out', application;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = keeper) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN', keeper);
    END IF;
    IF pg_has_role(application, keeper, 'MEMBER') THEN
        RAISE EXCEPTION 'the role % is a member of %', application, keeper;
    END IF;
    owner := CASE WHEN hand_back THEN application ELSE keeper END;

    -- Whoever owns the schema may drop what is in it, whosever that is.
    EXECUTE format('ALTER SCHEMA %I OWNER TO %I', here, owner);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', here, application);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', here, keeper);

    FOREACH named IN ARRAY ARRAY['auditentry', 'auditanchor', 'gatecatalogue', 'evidenceartefact', 'gateevidence',
        'gatesignature', 'signaturewithdrawal', 'gatewaiver', 'waiverdecision', 'breakglass', 'breakglassanswer',
        'cutover', 'cutovergate', 'release', 'releasestate'] LOOP
        kept := format('%I.%I', here, 'migrations_app_' || named);
        CONTINUE WHEN to_regclass(kept) IS NULL;
        EXECUTE format('ALTER TABLE %s OWNER TO %I', kept, owner);
        CONTINUE WHEN hand_back;
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, %I', kept, application);
        EXECUTE format('GRANT SELECT ON %s TO %I', kept, application);
        CONTINUE WHEN named = 'auditentry';
        EXECUTE format('GRANT INSERT ON %s TO %I', kept, application);
        EXECUTE format('GRANT UPDATE (%s) ON %s TO %I', (SELECT string_agg(quote_ident(one), ', ')
            FROM jsonb_array_elements_text(coalesce(changes->named, '["id"]')) one), kept, application);
    END LOOP;

    -- The one door: it runs with its owner's rights.
    EXECUTE format('ALTER FUNCTION %I.audit_append(text) OWNER TO %I', here, owner);
    EXECUTE format('REVOKE ALL ON FUNCTION %I.audit_append(text) FROM PUBLIC', here);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %I.audit_append(text) TO %I', here, application);

    -- What triggers call must not be exchanged either.
    FOR kept IN SELECT p.oid::regprocedure FROM pg_proc p
                 WHERE p.pronamespace = here::regnamespace
                   AND (p.proname LIKE 'audit\_%' OR p.proname LIKE 'gate\_%' OR p.proname LIKE 'cutover\_%'
                        OR p.proname LIKE '%\_guard' OR p.proname LIKE 'release\_%' OR p.proname = 'entry_demanded') LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO %I', kept, owner);
    END LOOP;
END
$owner$;
