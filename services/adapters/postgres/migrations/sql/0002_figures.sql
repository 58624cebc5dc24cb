-- What 0001 called maintenance_report counts sightings at the machine of the camera that saw them; the name now
-- belongs to the report on causes.
ALTER VIEW millsight.maintenance_report RENAME TO sightings_report;
ALTER FUNCTION millsight.maintenance_report(timestamptz, timestamptz) RENAME TO sightings_report;
COMMENT ON FUNCTION millsight.sightings_report IS
    'One row per machine and defect class for captures from from_ts (included) to to_ts (excluded).'
    ' A machine without defects has one row with defect_class NULL: defects 0 when cameras looked and found nothing,'
    ' frames_inspected 0 and a NULL rate when no camera looked. A defect counts at the machine of the camera that'
    ' saw it, on every camera that saw it; maintenance_report says which machine caused it';
COMMENT ON VIEW millsight.sightings_report IS
    'sightings_report(from_ts, to_ts) over the last 24 hours of data, which end at the newest capture';
COMMENT ON COLUMN millsight.sightings_report.machine_id IS
    'Machine of the camera that saw the defect, not the machine that caused it: see maintenance_report';

-- 95 % interval of a Poisson mean from a count, which may be a sum of weights: Byar's approximation
-- (N. E. Breslow, N. E. Day, Statistical Methods in Cancer Research II, IARC 1987, page 69); z = 1.959963984540054.

CREATE FUNCTION millsight.poisson_low(events double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN events <= 0 THEN 0.0 ELSE
    events * power(greatest(0.0, 1 - 1 / (9 * events) - 1.959963984540054 / (3 * sqrt(events))), 3) END;

CREATE FUNCTION millsight.poisson_high(events double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (events + 1) * power(1 - 1 / (9 * (events + 1)) + 1.959963984540054 / (3 * sqrt(events + 1)), 3);
COMMENT ON FUNCTION millsight.poisson_low IS 'Lower end of the 95 % interval of a Poisson mean, by Byar''s approximation';
COMMENT ON FUNCTION millsight.poisson_high IS 'Upper end of the 95 % interval of a Poisson mean, by Byar''s approximation';

CREATE FUNCTION millsight.health_index(ratio_low double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN round((100 / greatest(1.0, coalesce(ratio_low, 1.0)))::numeric, 1)::double precision;
COMMENT ON FUNCTION millsight.health_index IS
    '100 divided by how many times more defects than normal there surely are (lower end of the 95 % interval);'
    ' 100: no more than normal is shown, 50: surely twice as many';

CREATE FUNCTION millsight.severity_state(severity integer, is_listed boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN severity >= 3 THEN 'maintenance_required' WHEN severity = 2 THEN 'inspect'
    WHEN severity = 1 OR is_listed THEN 'watch' ELSE 'ok' END;
COMMENT ON FUNCTION millsight.severity_state IS 'State of a machine from its gravest open flag and the nightly list';

CREATE VIEW millsight.machine_repairs AS
WITH running AS (
    SELECT line_id, sum(extract(epoch FROM least(ended_at - before, ended_at - started_at))) / 3600 AS running_h
    FROM (
        SELECT line_id, started_at, ended_at, lag(ended_at) OVER (PARTITION BY line_id ORDER BY ended_at) AS before
        FROM millsight.coil_records WHERE ended_at > now() - interval '365 days'
    ) AS coils
    GROUP BY line_id
), found AS (
    SELECT machine_id, o.state, o.started_at, o.finished_at, o.created_at
    FROM millsight.work_orders o CROSS JOIN LATERAL unnest(o.machine_ids) AS machine_id
), repaired AS (
    SELECT machine_id,
           max(finished_at) FILTER (WHERE state = 'done') AS last_maintenance_at,
           count(*) FILTER (WHERE state <> 'rejected' AND created_at > now() - interval '365 days') AS failures,
           extract(epoch FROM avg(finished_at - started_at)
               FILTER (WHERE state = 'done' AND finished_at > now() - interval '365 days'))::double precision / 3600
               AS mttr_h
    FROM found GROUP BY machine_id
)
SELECT m.line_id, machine_id, r.last_maintenance_at,
       CASE WHEN r.last_maintenance_at IS NOT NULL THEN (
           SELECT count(*) FROM millsight.coil_records c
           WHERE c.line_id = m.line_id AND c.started_at >= r.last_maintenance_at) END AS coils_since_maintenance,
       (running.running_h / nullif(r.failures, 0))::double precision AS mtbf_h,
       r.mttr_h
FROM millsight.machines m
LEFT JOIN repaired r USING (machine_id)
LEFT JOIN running ON running.line_id = m.line_id;
COMMENT ON VIEW millsight.machine_repairs IS 'Maintenance figures of each machine, over the last 365 days';
COMMENT ON COLUMN millsight.machine_repairs.last_maintenance_at IS 'When a work order for it, or its group, was last done';
COMMENT ON COLUMN millsight.machine_repairs.coils_since_maintenance IS 'Coils begun since; NULL: never maintained';
COMMENT ON COLUMN millsight.machine_repairs.mtbf_h IS
    'Hours the line ran per work order that was not rejected; NULL: there was none. An order for a group counts at'
    ' each machine of the group';
COMMENT ON COLUMN millsight.machine_repairs.mttr_h IS 'Mean hours from start to done';
