-- The first revision of a run up after which its way back loses something or is over, with the run's steps of it, and
-- how long the steps from here to its end are forecast to take: null where one of them has no forecast.
WITH plan AS (
  SELECT revision_id, min(ordinal) AS first, max(ordinal) AS last
  FROM migrations_app_runstep WHERE run_id = %(run)s GROUP BY revision_id
), ends AS (
  SELECT plan.revision_id, plan.last, v.down_checksum = '' AS one_way, part.verdict
  FROM plan
  JOIN migrations_app_revision v ON v.service_id = %(service)s AND v.revision_id = plan.revision_id
  LEFT JOIN LATERAL (
    SELECT verdict FROM migrations_app_revisionrehearsal
    WHERE environment_id = %(environment)s AND revision_id = v.revision_id
      AND checksum = v.checksum AND down_checksum = v.down_checksum
    ORDER BY id DESC LIMIT 1
  ) part ON true
  WHERE v.down_checksum = '' OR part.verdict IN ('lossy', 'irreversible')
  ORDER BY plan.first LIMIT 1
)
SELECT ends.revision_id, ends.last, ends.one_way, ends.verdict,
       (SELECT CASE WHEN bool_and(forecast_ms IS NOT NULL) THEN sum(forecast_ms) END FROM migrations_app_runstep
        WHERE run_id = %(run)s AND ordinal > %(done)s AND ordinal <= ends.last)
FROM ends
