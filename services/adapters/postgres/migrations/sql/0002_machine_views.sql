-- Which machine: one row per machine and defect class, and one row per machine.

CREATE FUNCTION millsight.maintenance_report(from_ts timestamptz, to_ts timestamptz)
RETURNS TABLE (
    line_id text, machine_id text, machine_name text, group_id text, machine_ids text[], defect_class text,
    state text, window_start timestamptz, window_end timestamptz, coils bigint, exposure_frames bigint,
    exposure_m double precision, coverage double precision, defects_first_seen double precision,
    rate_per_1000_frames double precision, rate_ci_low double precision, rate_ci_high double precision,
    baseline_rate double precision, rate_ratio double precision, ratio_ci_low double precision,
    ratio_ci_high double precision, p_value double precision, q_value double precision, detector text,
    statistic double precision, threshold double precision, arl0_coils double precision, alarm_at timestamptz,
    onset_estimate text, onset_at timestamptz, onset_ci_low text, onset_ci_high text,
    attribution_prob double precision, member_prob double precision, runner_up_machine text,
    runner_up_prob double precision, evidence_cameras text[], last_seen timestamptz, period_m double precision,
    matched_roll text[], trend_per_1000_coils double precision, projected_coils_p10 double precision,
    projected_coils_p50 double precision, projected_coils_p90 double precision, health_index double precision,
    severity integer, recommended_action text, quality_loss double precision, quality_loss_m double precision,
    last_maintenance_at timestamptz, coils_since_maintenance bigint, mtbf_h double precision, mttr_h double precision,
    flag_id uuid, work_order_no text, model_version text
) LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF from_ts >= to_ts THEN
        RAISE EXCEPTION 'the window must end after it starts: % to %', from_ts, to_ts USING ERRCODE = '22023';
    END IF;
    RETURN QUERY
    WITH points AS (
        SELECT p.line_id, p.group_id, p.defect_class, count(*) AS coils, sum(p.first_seen) AS first_seen,
               sum(p.expected) AS expected, sum(p.exposure_m) AS exposure_m,
               (array_agg(p.statistic ORDER BY p.ended_at DESC))[1] AS statistic
        FROM millsight.stream_points p WHERE p.ended_at >= from_ts AND p.ended_at < to_ts
        GROUP BY p.line_id, p.group_id, p.defect_class
    ), ran AS (
        SELECT c.line_id, sum(c.length_m) AS length_m, (array_agg(c.state ORDER BY c.ended_at DESC))[1] AS state
        FROM millsight.coil_records c WHERE c.ended_at >= from_ts AND c.ended_at < to_ts GROUP BY c.line_id
    ), lost AS (
        SELECT c.line_id, cause.key AS group_id, sum(cause.value::double precision) AS metres,
               sum((c.quality_loss ->> cause.key)::double precision) AS money
        FROM millsight.coil_records c CROSS JOIN LATERAL jsonb_each_text(c.quality_loss_m) AS cause
        WHERE c.ended_at >= from_ts AND c.ended_at < to_ts GROUP BY c.line_id, cause.key
    ), looked AS (
        SELECT e.line_id, e.camera_id, sum(e.frames)::bigint AS frames, sum(e.inspected_m) AS metres
        FROM millsight.camera_exposures e WHERE e.ended_at >= from_ts AND e.ended_at < to_ts
        GROUP BY e.line_id, e.camera_id
    ), seen AS (
        SELECT d.line_id, d.group_id, d.defect_class, array_agg(DISTINCT d.first_camera) AS cameras,
               max(d.seen_at) AS last_seen
        FROM millsight.coil_records c JOIN millsight.defects d ON d.line_id = c.line_id AND d.coil_id = c.coil_id
        WHERE c.ended_at >= from_ts AND c.ended_at < to_ts AND NOT d.landmark
        GROUP BY d.line_id, d.group_id, d.defect_class
    ), flagged AS (
        SELECT DISTINCT ON (f.line_id, f.group_id, f.defect_class) f.*
        FROM millsight.flags f
        WHERE f.kind = 'machine' AND f.alarm_at < to_ts AND (f.closed_at IS NULL OR f.closed_at >= from_ts)
        ORDER BY f.line_id, f.group_id, f.defect_class, f.closed_at IS NULL DESC, f.alarm_at DESC
    ), nightly AS (
        SELECT DISTINCT ON (n.line_id, n.group_id, n.defect_class) n.*
        FROM millsight.nightly_list n WHERE n.window_end > from_ts AND n.window_end <= to_ts
        ORDER BY n.line_id, n.group_id, n.defect_class, n.day DESC
    ), streams AS (
        SELECT line_id, group_id, defect_class FROM points
        UNION SELECT line_id, group_id, defect_class FROM flagged
    ), members AS (
        SELECT g.line_id, g.group_id, g.machine_ids, g.first_camera, machine_id
        FROM millsight.machine_groups g CROSS JOIN LATERAL unnest(g.machine_ids) AS machine_id
        WHERE g.is_current OR EXISTS (
            SELECT FROM streams s WHERE s.line_id = g.line_id AND s.group_id = g.group_id)
        UNION ALL
        SELECT m.line_id, NULL, ARRAY[m.machine_id], NULL, m.machine_id FROM millsight.machines m
        WHERE m.removed_at IS NULL AND m.machine_id <> 'unassigned' AND NOT EXISTS (
            SELECT FROM millsight.machine_groups g WHERE g.line_id = m.line_id AND m.machine_id = ANY (g.machine_ids)
                AND g.is_current)
    )
    SELECT g.line_id, g.machine_id, coalesce(m.name, g.machine_id), g.group_id, g.machine_ids, s.defect_class,
        CASE WHEN f.closed_at IS NULL AND f.severity IS NOT NULL THEN millsight.severity_state(f.severity, false)
            WHEN coalesce(p.exposure_m, 0) <= 0 THEN 'no_data' WHEN ran.state = 'learning' THEN 'learning'
            ELSE millsight.severity_state(NULL, n.is_listed) END,
        from_ts, to_ts, coalesce(p.coils, 0), coalesce(l.frames, 0), coalesce(p.exposure_m, 0),
        l.metres / nullif(ran.length_m, 0), p.first_seen,
        1000 * p.first_seen / nullif(l.frames, 0), 1000 * millsight.poisson_low(p.first_seen) / nullif(l.frames, 0),
        1000 * millsight.poisson_high(p.first_seen) / nullif(l.frames, 0), 1000 * p.expected / nullif(l.frames, 0),
        p.first_seen / nullif(p.expected, 0), millsight.poisson_low(p.first_seen) / nullif(p.expected, 0),
        millsight.poisson_high(p.first_seen) / nullif(p.expected, 0), n.p_value, n.q_value,
        f.detector, coalesce(f.statistic, p.statistic), f.threshold, f.arl0_coils, f.alarm_at, f.onset_coil, f.onset_at,
        f.onset_low_coil, f.onset_high_coil, f.probability,
        coalesce((f.member_posterior ->> g.machine_id)::double precision,
            CASE WHEN f.flag_id IS NOT NULL AND cardinality(g.machine_ids) = 1 THEN 1.0 END),
        f.runner_up, f.runner_up_probability, coalesce(seen.cameras, '{}'), seen.last_seen, f.period_m, f.matched_rolls,
        1000 * f.trend_per_coil, f.projected_coils[1], f.projected_coils[2], f.projected_coils[3],
        CASE WHEN coalesce(p.exposure_m, 0) > 0 THEN millsight.health_index(
            CASE WHEN f.flag_id IS NOT NULL AND f.closed_at IS NULL THEN f.ratio_low
                WHEN n.is_listed THEN millsight.poisson_low(n.first_seen) / nullif(n.expected, 0) END) END,
        f.severity::integer, f.advice, lost.money, lost.metres,
        r.last_maintenance_at, r.coils_since_maintenance, r.mtbf_h, r.mttr_h, f.flag_id, o.work_order_no,
        (SELECT v.name || ' ' || v.version FROM millsight.model_versions v
         WHERE v.registered_at < to_ts ORDER BY v.registered_at DESC LIMIT 1)
    FROM members g
    LEFT JOIN millsight.machines m ON m.machine_id = g.machine_id
    LEFT JOIN streams s ON s.line_id = g.line_id AND s.group_id = g.group_id
    LEFT JOIN points p ON p.line_id = s.line_id AND p.group_id = s.group_id AND p.defect_class = s.defect_class
    LEFT JOIN flagged f ON f.line_id = s.line_id AND f.group_id = s.group_id AND f.defect_class = s.defect_class
    LEFT JOIN nightly n ON n.line_id = s.line_id AND n.group_id = s.group_id AND n.defect_class = s.defect_class
    LEFT JOIN seen ON seen.line_id = s.line_id AND seen.group_id = s.group_id AND seen.defect_class = s.defect_class
    LEFT JOIN looked l ON l.line_id = g.line_id AND l.camera_id = g.first_camera
    LEFT JOIN ran ON ran.line_id = g.line_id
    LEFT JOIN lost ON lost.line_id = g.line_id AND lost.group_id = g.group_id
    LEFT JOIN millsight.work_orders o ON o.flag_id = f.flag_id
    LEFT JOIN millsight.machine_repairs r ON r.machine_id = g.machine_id
    ORDER BY f.closed_at IS NOT NULL, f.severity DESC NULLS LAST, lost.money DESC NULLS LAST, n.q_value NULLS LAST,
        g.line_id, m.position_m, g.machine_id, s.defect_class;
END $$;
COMMENT ON FUNCTION millsight.maintenance_report IS
    'Which machine: one row per machine and defect class, from the coils that ended from from_ts (included) to to_ts'
    ' (excluded), gravest flag first. Machines of one group share their numbers: do not add them up. A machine that'
    ' nobody watched has one row with state no_data and defect_class NULL';

CREATE VIEW millsight.maintenance_report AS
SELECT report.*
FROM (
    SELECT least(coalesce(max(ended_at) + interval '1 second', now()), now()) AS newest FROM millsight.coil_records
) AS data,
LATERAL millsight.maintenance_report(data.newest - interval '24 hours', data.newest) AS report;
COMMENT ON VIEW millsight.maintenance_report IS
    'maintenance_report(from_ts, to_ts) over the last 24 hours of data, which end with the newest complete coil';
COMMENT ON COLUMN millsight.maintenance_report.group_id IS
    'Machines that no camera separates, joined by ''+''; all numbers are the group''s. NULL: not analysed yet';
COMMENT ON COLUMN millsight.maintenance_report.state IS
    'maintenance_required, inspect, watch, ok, learning, or no_data: nobody looked';
COMMENT ON COLUMN millsight.maintenance_report.coils IS 'Coils that ended in the window';
COMMENT ON COLUMN millsight.maintenance_report.exposure_frames IS 'Frames of the first camera behind the machine';
COMMENT ON COLUMN millsight.maintenance_report.exposure_m IS
    'Metres inspected, weighted with the chance that a defect is reported at all';
COMMENT ON COLUMN millsight.maintenance_report.coverage IS
    'Share of the strip''s length that the first camera behind the machine inspected; NULL: no coil, no camera';
COMMENT ON COLUMN millsight.maintenance_report.defects_first_seen IS
    'Registered defects that the machine or its group left (sum of posterior weights)';
COMMENT ON COLUMN millsight.maintenance_report.rate_per_1000_frames IS
    'defects_first_seen per 1000 exposure_frames; rate_ci_low to rate_ci_high: 95 % interval (Byar)';
COMMENT ON COLUMN millsight.maintenance_report.baseline_rate IS 'The same in the baseline state';
COMMENT ON COLUMN millsight.maintenance_report.rate_ratio IS 'Found over expected; ratio_ci_low to ratio_ci_high: 95 %';
COMMENT ON COLUMN millsight.maintenance_report.p_value IS 'Exact Poisson mid-p of the latest nightly list; NULL: none';
COMMENT ON COLUMN millsight.maintenance_report.q_value IS 'Benjamini-Hochberg adjusted p_value of that night';
COMMENT ON COLUMN millsight.maintenance_report.statistic IS 'CUSUM after the newest coil, nats; alarm at threshold';
COMMENT ON COLUMN millsight.maintenance_report.onset_estimate IS
    'Coil in which it began; onset_ci_low to onset_ci_high: coils of the 95 % interval';
COMMENT ON COLUMN millsight.maintenance_report.attribution_prob IS 'Posterior that the group is the cause, 0 to 1';
COMMENT ON COLUMN millsight.maintenance_report.member_prob IS
    'Share of this machine within the group, from what the class usually points to: no camera tells';
COMMENT ON COLUMN millsight.maintenance_report.runner_up_machine IS 'Second most probable cause (a group)';
COMMENT ON COLUMN millsight.maintenance_report.evidence_cameras IS 'Cameras that saw such defects first';
COMMENT ON COLUMN millsight.maintenance_report.period_m IS 'Spacing along the strip, metres; NULL: not periodic';
COMMENT ON COLUMN millsight.maintenance_report.projected_coils_p50 IS
    'Coils to the limit, median (p10, p90 beside it); NULL: no trend';
COMMENT ON COLUMN millsight.maintenance_report.health_index IS
    '100: no more defects than normal are shown; 50: surely twice as many; NULL: nobody looked';
COMMENT ON COLUMN millsight.maintenance_report.severity IS '4 act now, 3 plan this shift, 2 inspect, 1 watch; NULL: no flag';
COMMENT ON COLUMN millsight.maintenance_report.quality_loss IS 'Money lost to the group''s defects of all classes';
COMMENT ON COLUMN millsight.maintenance_report.quality_loss_m IS 'Metres of defective strip from the group, all classes';
COMMENT ON COLUMN millsight.maintenance_report.model_version IS 'Newest model version recorded before the window''s end';

CREATE VIEW millsight.machine_health AS
WITH groups AS (
    SELECT g.line_id, g.group_id, g.first_camera, machine_id
    FROM millsight.machine_groups g CROSS JOIN LATERAL unnest(g.machine_ids) AS machine_id WHERE g.is_current
), recent AS (
    SELECT line_id, coil_id, ended_at, state, number,
           row_number() OVER (PARTITION BY line_id ORDER BY number DESC) AS age
    FROM millsight.coil_records c
    WHERE ended_at > (SELECT max(ended_at) - interval '7 days' FROM millsight.coil_records)
), newest AS (
    SELECT line_id, coil_id, ended_at, state FROM recent WHERE age = 1
), exposed AS (
    SELECT p.line_id, p.group_id, sum(p.exposure_m) AS exposure_m
    FROM recent r JOIN millsight.stream_points p USING (line_id, coil_id)
    WHERE r.age <= 3 GROUP BY p.line_id, p.group_id
), gravest AS (
    SELECT DISTINCT ON (line_id, group_id) * FROM millsight.flags
    WHERE kind = 'machine' AND closed_at IS NULL
    ORDER BY line_id, group_id, severity DESC, ratio_low DESC, flag_id
), listed AS (
    SELECT DISTINCT ON (n.line_id, n.group_id) n.line_id, n.group_id, n.defect_class,
           millsight.poisson_low(n.first_seen) / nullif(n.expected, 0) AS ratio_low
    FROM millsight.nightly_list n
    WHERE n.is_listed AND n.day = (SELECT max(l.day) FROM millsight.nightly_list l WHERE l.line_id = n.line_id)
    ORDER BY n.line_id, n.group_id, n.q_value
), heard AS (
    SELECT line_id, max(last_received_at) AS last_received_at FROM millsight.cameras
    WHERE removed_at IS NULL GROUP BY line_id
), judged AS (
    SELECT m.line_id, m.machine_id, m.name, m.kind, m.position_m, g.group_id, g.first_camera, f.flag_id, f.severity,
        f.defect_class, f.rate_ratio, f.onset_coil, f.ratio_low, l.defect_class AS listed_class,
        l.ratio_low AS listed_ratio_low, h.last_received_at,
        CASE WHEN f.flag_id IS NOT NULL THEN millsight.severity_state(f.severity, false)
            WHEN n.coil_id IS NULL OR g.first_camera IS NULL THEN 'no_data'
            WHEN h.last_received_at IS NULL OR h.last_received_at < now() - interval '15 minutes' THEN 'offline'
            WHEN coalesce(e.exposure_m, 0) <= 0 THEN 'no_data'
            WHEN n.state = 'learning' THEN 'learning'
            ELSE millsight.severity_state(NULL, l.group_id IS NOT NULL) END AS state,
        n.coil_id AS newest_coil
    FROM millsight.machines m
    LEFT JOIN groups g USING (machine_id)
    LEFT JOIN newest n ON n.line_id = m.line_id
    LEFT JOIN exposed e ON e.line_id = m.line_id AND e.group_id = g.group_id
    LEFT JOIN gravest f ON f.line_id = m.line_id AND f.group_id = g.group_id
    LEFT JOIN listed l ON l.line_id = m.line_id AND l.group_id = g.group_id
    LEFT JOIN heard h ON h.line_id = m.line_id
    WHERE m.removed_at IS NULL AND m.machine_id <> 'unassigned'
)
SELECT j.line_id, j.machine_id, j.name AS machine_name, j.kind, j.position_m, j.group_id, j.state,
    CASE
        WHEN j.flag_id IS NOT NULL THEN format('%s: %s times as often as normal since coil %s', j.defect_class,
            round(j.rate_ratio::numeric, 1), j.onset_coil)
        WHEN j.newest_coil IS NULL THEN 'no coil has been analysed on this line yet'
        WHEN j.first_camera IS NULL THEN 'no camera looks behind this machine'
        WHEN j.state = 'offline' THEN 'no camera of the line has delivered a frame in the last 15 minutes'
        WHEN j.state = 'no_data' THEN 'nobody inspected what this machine did on the last three coils'
        WHEN j.state = 'learning' THEN 'the normal defect rates of this line are being learnt'
        WHEN j.state = 'watch' THEN format('%s stands out in the nightly list, without an alarm', j.listed_class)
        ELSE 'no more defects than normal' END AS reason,
    CASE WHEN j.flag_id IS NOT NULL THEN millsight.health_index(j.ratio_low)
        WHEN j.state IN ('ok', 'watch') THEN millsight.health_index(j.listed_ratio_low) END AS health_index,
    j.flag_id, j.severity::integer AS severity, j.defect_class, o.work_order_no, o.state AS work_order_state,
    r.last_maintenance_at, r.coils_since_maintenance, r.mtbf_h, r.mttr_h
FROM judged j
LEFT JOIN millsight.work_orders o ON o.flag_id = j.flag_id
LEFT JOIN millsight.machine_repairs r ON r.machine_id = j.machine_id
ORDER BY j.line_id, j.position_m, j.machine_id;
COMMENT ON VIEW millsight.machine_health IS 'One row per machine of the line as it stands: its state and why';
COMMENT ON COLUMN millsight.machine_health.state IS
    'maintenance_required, inspect, watch, ok, learning, offline (the line delivers no frames), or no_data (nobody'
    ' looked at what this machine does: never read it as ok)';
COMMENT ON COLUMN millsight.machine_health.reason IS 'One sentence that says why';
COMMENT ON COLUMN millsight.machine_health.health_index IS
    '100: no more defects than normal are shown; 50: surely twice as many; NULL: not known';
COMMENT ON COLUMN millsight.machine_health.flag_id IS 'Its gravest open flag; NULL: none';
COMMENT ON COLUMN millsight.machine_health.mtbf_h IS 'Hours the line ran per work order of the last 365 days';
COMMENT ON COLUMN millsight.machine_health.mttr_h IS 'Mean hours from start to done over the last 365 days';
