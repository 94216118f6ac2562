-- One row per wanted revision, newest first, with the environments in which it stands applied: by its own bytes,
-- by other ones. OFFSET 0 keeps this a look-up for each revision: the whole table would be read otherwise.
SELECT v.revision_id, v.position, v.phase, v.schema_rev, a.same, a.other
FROM migrations_app_revision v
CROSS JOIN LATERAL (
  SELECT COALESCE(array_agg(environment_id) FILTER (WHERE checksum = v.checksum), '{}') AS same,
         COALESCE(array_agg(environment_id) FILTER (WHERE checksum <> v.checksum), '{}') AS other
  FROM (
    SELECT environment_id, checksum FROM migrations_app_appliedrevision
    WHERE revision_id = v.revision_id AND environment_id = ANY(%(environments)s) OFFSET 0
  ) here
) a
WHERE v.service_id = %(service)s AND v.position = ANY(%(positions)s)
ORDER BY v.position DESC
