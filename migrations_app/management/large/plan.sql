-- Which run takes which revisions where, when, and how it ends. Everything after this only writes it out.
-- made_service, made_place and made_step are filled; pg_temp.dice gives the same throw for the same number.

-- 1. Each chain is cut into releases of a few revisions.
CREATE TEMP TABLE made_release ON COMMIT DROP AS
WITH ranked AS (
  SELECT s.id AS service_id, s.releases, r.position, r.position = s.revisions AS newest,
         row_number() OVER (PARTITION BY s.id ORDER BY r.position = s.revisions DESC,
                            pg_temp.dice(r.position + 1000003::bigint * s.revisions, 1)) AS rank
    FROM made_service s JOIN migrations_app_revision r ON r.service_id = s.id
), cuts AS (
  SELECT service_id, position AS last, row_number() OVER w AS release,
         lag(position, 1, 0) OVER w + 1 AS first
    FROM ranked WHERE rank <= releases
  WINDOW w AS (PARTITION BY service_id ORDER BY position)
)
SELECT c.*, (SELECT bool_and(r.down IS NOT NULL) FROM migrations_app_revision r
              WHERE r.service_id = c.service_id AND r.position BETWEEN c.first AND c.last) AS reversible
  FROM cuts c;

-- 2. An environment takes one release per slot of time; within the slot, in order: what failed or was cancelled,
--    the run that applied it, perhaps its roll-back and the run that applied it again.
CREATE TEMP TABLE made_slot ON COMMIT DROP AS
SELECT p.place, p.environment_id, p.service_id, r.release, r.first, r.last, r.reversible,
       r.release = s.releases - p.behind AS is_head,
       r.release > s.releases - p.behind AS is_next,
       %(until)s::timestamptz - %(span)s::interval * ((s.releases - p.behind - r.release + 1) / s.releases::float8)
         AS begins,
       %(span)s::interval / s.releases AS lasts,
       pg_temp.dice(p.place * 1000003 + r.release, 2) AS dice
  FROM made_place p JOIN made_service s ON s.id = p.service_id
  JOIN made_release r ON r.service_id = s.id AND r.release <= s.releases - p.behind + 1;
CREATE INDEX ON made_slot (place, release);
ANALYZE made_slot;

CREATE TEMP TABLE made_act ON COMMIT DROP AS
WITH undone AS (
  SELECT * FROM made_slot WHERE reversible AND NOT is_head AND NOT is_next ORDER BY dice, place LIMIT %(undone)s
), given_up AS (
  SELECT * FROM made_slot WHERE reversible AND is_head AND place %% 17 = 5
), opened AS (
  SELECT *, row_number() OVER (ORDER BY dice, place) AS turn
    FROM made_slot WHERE is_next AND place NOT IN (SELECT place FROM given_up)
), told (turn, ends) AS (
  VALUES (1, 'waiting_for_lock'), (2, 'failed'), (3, 'needs_operator'), (4, 'paused'), (5, 'running'),
         (6, 'failed'), (7, 'waiting_for_lock')
), useful AS (
  SELECT place, release, 'up' AS direction, 'succeeded' AS ends, 1 AS cycle, begins + lasts * (0.40 + 0.08 * dice) AS at
    FROM made_slot WHERE NOT is_next
  UNION ALL
  SELECT place, release, 'down', 'rolled_back', 1, begins + lasts * (0.60 + 0.08 * dice)
    FROM (SELECT * FROM undone UNION ALL SELECT * FROM given_up) u
  UNION ALL
  SELECT place, release, 'up', 'succeeded', 2, begins + lasts * (0.80 + 0.08 * dice) FROM undone
  UNION ALL
  SELECT place, release, 'up', ends, 1, %(until)s::timestamptz - interval '3 min' * turn FROM opened JOIN told USING (turn)
), idle AS (
  SELECT p.place, 1 + floor(pg_temp.dice(n, 4) * (s.releases - p.behind))::int AS release,
         CASE WHEN pg_temp.dice(n, 5) < 0.6 THEN 'failed' ELSE 'cancelled' END AS ends, pg_temp.dice(n, 6) AS dice
    FROM generate_series(1, %(runs)s - (SELECT count(*) FROM useful)) n
    JOIN made_place p ON p.place = 1 + floor(pg_temp.dice(n, 3) * (SELECT count(*) FROM made_place))::int
    JOIN made_service s ON s.id = p.service_id
), acts AS (
  SELECT * FROM useful
  UNION ALL
  SELECT place, release, 'up', i.ends, 1, s.begins + s.lasts * 0.35 * i.dice FROM idle i JOIN made_slot s USING (place, release)
)
SELECT row_number() OVER (ORDER BY a.at, a.place, a.ends) AS n, s.environment_id, s.service_id, s.release, s.first, s.last,
       a.place, a.direction, a.ends, a.cycle, a.at, 0::bigint AS run_id, '' AS operator, 0 AS user_id,
       interval '1 second' * (3 + (s.last - s.first + 1) * (0.4 + 6 * pg_temp.dice(a.place * 7919 + s.release, 7))) AS took
  FROM acts a JOIN made_slot s USING (place, release);

UPDATE made_act a
   SET run_id = n + (SELECT coalesce(max(id), 0) FROM migrations_app_run), operator = h.username, user_id = h.id
  FROM made_hand h WHERE h.place = 1 + floor(pg_temp.dice(a.n, 8) * (SELECT count(*) FROM made_hand))::int;

-- 3. The revisions of each run in the order of execution, and the steps of each revision.
CREATE TEMP TABLE made_part ON COMMIT DROP AS
SELECT a.n, row_number() OVER (PARTITION BY a.n ORDER BY CASE a.direction WHEN 'up' THEN p ELSE -p END) AS i,
       a.service_id, p AS position, a.direction
  FROM made_act a CROSS JOIN LATERAL generate_series(a.first, a.last) p;

CREATE TEMP TABLE made_run_step ON COMMIT DROP AS
SELECT p.n AS act, row_number() OVER (PARTITION BY p.n ORDER BY p.i, s.n) AS ordinal,
       row_number() OVER (ORDER BY p.n, p.i, s.n) + (SELECT coalesce(max(id), 0) FROM migrations_app_runstep) AS id, s.*
  FROM made_part p JOIN made_step s USING (service_id, position, direction);

ANALYZE made_act, made_part, made_run_step;
