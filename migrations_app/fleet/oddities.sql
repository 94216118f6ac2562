-- Where environments are not simply applied up to their heads: other bytes (D), and missing below the head (O).
SELECT a.environment_id, 'D', r.position
FROM migrations_app_appliedrevision a
JOIN migrations_app_revision r ON r.service_id = %(service)s AND r.revision_id = a.revision_id
WHERE a.match = 'other' AND a.environment_id = ANY(%(environments)s)
UNION ALL
SELECT h.id, CASE WHEN r.position <= h.position THEN 'O' ELSE 'A' END, r.position
FROM unnest(%(with_holes)s::bigint[], %(heads)s::int[]) AS h (id, position)
JOIN migrations_app_revision r ON r.service_id = %(service)s
LEFT JOIN migrations_app_appliedrevision a ON a.environment_id = h.id AND a.revision_id = r.revision_id
WHERE (a.id IS NULL) = (r.position <= h.position)
