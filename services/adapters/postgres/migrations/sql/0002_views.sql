-- Reports on coils, rates over time, what to hold back, and cameras.

CREATE VIEW millsight.defect_rate_hourly AS
SELECT line_id, group_id, defect_class, date_trunc('hour', ended_at) AS hour, count(*) AS coils,
       sum(first_seen) AS defects, sum(expected) AS expected, sum(exposure_m) AS exposure_m,
       1000 * sum(first_seen) / nullif(sum(exposure_m), 0) AS rate_per_km,
       1000 * sum(expected) / nullif(sum(exposure_m), 0) AS baseline_per_km
FROM millsight.stream_points
GROUP BY line_id, group_id, defect_class, date_trunc('hour', ended_at);
COMMENT ON VIEW millsight.defect_rate_hourly IS
    'One row per machine group, defect class and hour in which coils ended; no row: no coil ended';
COMMENT ON COLUMN millsight.defect_rate_hourly.defects IS 'Registered defects of the group (sum of posterior weights)';
COMMENT ON COLUMN millsight.defect_rate_hourly.exposure_m IS 'Metres inspected, weighted with the chance of a report';
COMMENT ON COLUMN millsight.defect_rate_hourly.rate_per_km IS 'NULL: nobody looked';

CREATE VIEW millsight.coil_report AS
SELECT c.line_id, c.coil_id, c.number, c.material, c.started_at, c.ended_at, c.length_m, c.state, c.grade,
       c.grade_reason, c.price, c.currency, c.defects, coalesce(d.by_class, '{}') AS defects_by_class,
       coalesce(e.landmarks, '{}') AS landmarks, coalesce(e.missing_or_surplus, 0) AS missing_or_surplus,
       q.money AS quality_loss, q.metres AS quality_loss_m, c.quality_loss AS quality_loss_by_cause,
       c.quality_loss_m AS quality_loss_m_by_cause
FROM millsight.coil_records c
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(defect_class, found) AS by_class
    FROM (SELECT defect_class, count(*) AS found FROM millsight.defects d
          WHERE d.line_id = c.line_id AND d.coil_id = c.coil_id AND NOT d.landmark GROUP BY defect_class) AS counted
) AS d ON true
LEFT JOIN LATERAL (
    SELECT array_agg(l.kind || ' ' || l.defect_class ORDER BY l.ordinal) AS landmarks,
           count(*) FILTER (WHERE l.kind <> 'seen') AS missing_or_surplus
    FROM millsight.landmark_events l WHERE l.line_id = c.line_id AND l.coil_id = c.coil_id
) AS e ON true
LEFT JOIN LATERAL (
    SELECT (SELECT sum(value::double precision) FROM jsonb_each_text(c.quality_loss)) AS money,
           (SELECT sum(value::double precision) FROM jsonb_each_text(c.quality_loss_m)) AS metres
) AS q ON true;
COMMENT ON VIEW millsight.coil_report IS 'One row per coil that has passed all cameras: grade, price, defects, loss';
COMMENT ON COLUMN millsight.coil_report.number IS 'Place in the order of the line';
COMMENT ON COLUMN millsight.coil_report.defects_by_class IS 'Registered defects, {"rolled_pit": 3}; {}: none, or too old';
COMMENT ON COLUMN millsight.coil_report.landmarks IS 'Coil-change marks in order: ''seen welding_line'', ...';
COMMENT ON COLUMN millsight.coil_report.quality_loss IS 'Money lost to the best grade, all causes; NULL: no prices';
COMMENT ON COLUMN millsight.coil_report.quality_loss_m IS 'Metres of defective strip, all causes';

CREATE VIEW millsight.containment AS
SELECT f.flag_id, o.work_order_no, f.line_id, f.group_id, f.machine_ids, f.defect_class, f.severity::integer AS severity,
       c.coil_id, c.number, c.started_at, c.ended_at,
       CASE WHEN c.coil_id = f.onset_coil
           THEN greatest(c.start_m, coalesce(f.onset_position_m, c.start_m)) ELSE c.start_m END AS from_m,
       c.start_m + c.length_m AS to_m, coalesce(d.defects, 0) AS defects, coalesce(d.positions_m, '{}') AS positions_m,
       c.grade
FROM millsight.flags f
JOIN millsight.work_orders o USING (flag_id)
JOIN millsight.coil_records onset ON onset.line_id = f.line_id AND onset.coil_id = f.onset_coil
LEFT JOIN millsight.coil_records cleared ON cleared.line_id = f.line_id AND cleared.coil_id = f.cleared_coil
JOIN millsight.coil_records c ON c.line_id = f.line_id AND c.number >= onset.number
    AND (cleared.number IS NULL OR c.number <= cleared.number)
LEFT JOIN LATERAL (
    SELECT count(*) AS defects, array_agg(d.position_m ORDER BY d.position_m) AS positions_m
    FROM millsight.defects d
    WHERE d.line_id = c.line_id AND d.coil_id = c.coil_id AND d.group_id = f.group_id
        AND d.defect_class = f.defect_class AND NOT d.landmark
) AS d ON true
WHERE f.closed_at IS NULL AND f.kind = 'machine';
COMMENT ON VIEW millsight.containment IS
    'What to hold back: for every open flag on a machine, the coils that passed since its onset';
COMMENT ON COLUMN millsight.containment.from_m IS
    'From here on, metres on the scale of the line; in the coil of the onset the first defect of the excess';
COMMENT ON COLUMN millsight.containment.defects IS
    'Registered defects of this class most probably from this group; 0: the coil passed, none was seen';
COMMENT ON COLUMN millsight.containment.positions_m IS 'Where they lie, metres on the scale of the line';

CREATE VIEW millsight.camera_health AS
WITH recent AS (
    SELECT line_id, coil_id, length_m, ended_at FROM millsight.coil_records
    WHERE ended_at > (SELECT max(ended_at) - interval '24 hours' FROM millsight.coil_records)
), ran AS (
    SELECT line_id, count(*) AS coils, sum(length_m) AS length_m FROM recent GROUP BY line_id
), did AS (
    SELECT e.line_id, e.camera_id, count(*) AS coils, sum(e.frames)::bigint AS frames, sum(e.inspected_m) AS inspected_m,
           sum(e.sightings)::bigint AS sightings, sum(e.confirmed)::bigint AS confirmed,
           (array_agg(e.sensitivity ORDER BY e.ended_at DESC))[1] AS sensitivity,
           (array_agg(e.false_per_frame ORDER BY e.ended_at DESC))[1] AS false_per_frame
    FROM recent r JOIN millsight.camera_exposures e USING (line_id, coil_id)
    GROUP BY e.line_id, e.camera_id
), ill AS (
    SELECT camera_id, array_agg(kind ORDER BY since) AS conditions, min(since) AS since,
           string_agg(reason, '; ' ORDER BY since) AS reason
    FROM millsight.camera_conditions WHERE until IS NULL GROUP BY camera_id
)
SELECT c.line_id, c.camera_id, c.machine_id, c.position_m,
       CASE WHEN c.last_received_at IS NULL THEN 'no_data'
           WHEN c.last_received_at < now() - interval '5 minutes' THEN 'silent'
           WHEN ill.camera_id IS NOT NULL OR f.flag_id IS NOT NULL THEN 'attention' ELSE 'ok' END AS state,
       coalesce(ill.conditions, '{}') AS conditions, ill.since AS conditions_since,
       coalesce(ill.reason, f.reason) AS reason, c.last_received_at,
       did.sensitivity, did.false_per_frame, did.inspected_m / nullif(ran.length_m, 0) AS coverage,
       coalesce(did.frames, 0) AS frames, coalesce(did.sightings, 0) AS sightings,
       did.confirmed::double precision / nullif(did.sightings, 0) AS confirmed_share,
       f.flag_id, o.work_order_no
FROM millsight.cameras c
LEFT JOIN did ON did.line_id = c.line_id AND did.camera_id = c.camera_id
LEFT JOIN ran ON ran.line_id = c.line_id
LEFT JOIN ill ON ill.camera_id = c.camera_id
LEFT JOIN millsight.flags f ON f.line_id = c.line_id AND f.group_id = 'camera:' || c.camera_id
    AND f.kind = 'camera' AND f.closed_at IS NULL AND f.defect_class IS NULL
LEFT JOIN millsight.work_orders o ON o.flag_id = f.flag_id
WHERE c.removed_at IS NULL
ORDER BY c.line_id, c.position_m, c.camera_id;
COMMENT ON VIEW millsight.camera_health IS 'One row per camera: can it be believed, over the last 24 hours of coils';
COMMENT ON COLUMN millsight.camera_health.state IS
    'ok, attention (a condition or a flag is open), silent (no frame for 5 minutes) or no_data (never a frame)';
COMMENT ON COLUMN millsight.camera_health.conditions IS 'Open conditions: dirty, black, frozen, defocused, ...';
COMMENT ON COLUMN millsight.camera_health.sensitivity IS 'Share of defects it reports, 0 to 1; NULL: not known';
COMMENT ON COLUMN millsight.camera_health.false_per_frame IS 'False calls per frame; NULL: not known';
COMMENT ON COLUMN millsight.camera_health.coverage IS 'Share of the strip''s length it inspected; NULL: no coils';
COMMENT ON COLUMN millsight.camera_health.confirmed_share IS
    'Share of its sightings that another camera confirmed or that no other camera could; NULL: none';
