-- 95 % Wilson score interval of a share (E. B. Wilson, JASA 22 (1927) 209-212); z = 1.959963984540054.

CREATE FUNCTION millsight.wilson_low(events bigint, trials bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN trials <= 0 THEN NULL WHEN events = 0 THEN 0.0 ELSE
    (events + 1.9207294103470 - 1.959963984540054
        * sqrt(events::double precision * (trials - events) / trials + 0.96036470517354)) / (trials + 3.8414588206941)
    END;

CREATE FUNCTION millsight.wilson_high(events bigint, trials bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN trials <= 0 THEN NULL WHEN events = trials THEN 1.0 ELSE
    (events + 1.9207294103470 + 1.959963984540054
        * sqrt(events::double precision * (trials - events) / trials + 0.96036470517354)) / (trials + 3.8414588206941)
    END;
COMMENT ON FUNCTION millsight.wilson_low IS 'Lower end of the 95 % Wilson interval of events/trials; NULL for 0 trials';
COMMENT ON FUNCTION millsight.wilson_high IS 'Upper end of the 95 % Wilson interval of events/trials; NULL for 0 trials';

CREATE FUNCTION millsight.maintenance_report(from_ts timestamptz, to_ts timestamptz)
RETURNS TABLE (
    line_id text, machine_id text, machine_name text, defect_class text,
    window_start timestamptz, window_end timestamptz, frames_inspected bigint, defects bigint,
    defect_rate double precision, rate_low double precision, rate_high double precision,
    last_seen timestamptz, cameras text[]
) LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF from_ts >= to_ts THEN
        RAISE EXCEPTION 'the window must end after it starts: % to %', from_ts, to_ts USING ERRCODE = '22023';
    END IF;
    RETURN QUERY
    WITH counts AS MATERIALIZED (
        SELECT i.machine_id, i.camera_id, i.defect_class, count(*) AS frames, max(i.captured_at) AS newest
        FROM millsight.inspections i
        WHERE i.captured_at >= from_ts AND i.captured_at < to_ts
        GROUP BY i.machine_id, i.camera_id, i.defect_class
    ), looked AS (
        SELECT machine_id, sum(frames)::bigint AS frames, array_agg(DISTINCT camera_id) AS cameras
        FROM counts GROUP BY machine_id
    ), found AS (
        SELECT machine_id, defect_class, sum(frames)::bigint AS defects, max(newest) AS newest,
               array_agg(DISTINCT camera_id) AS cameras
        FROM counts WHERE defect_class <> 'no_defect' GROUP BY machine_id, defect_class
    ), shown AS (
        SELECT machine_id FROM millsight.machines WHERE removed_at IS NULL AND machine_id <> 'unassigned'
        UNION SELECT machine_id FROM looked
    )
    SELECT m.line_id, machine_id, coalesce(m.name, machine_id), found.defect_class, from_ts, to_ts,
           coalesce(looked.frames, 0), coalesce(found.defects, 0),
           coalesce(found.defects, 0)::double precision / looked.frames,
           millsight.wilson_low(coalesce(found.defects, 0), looked.frames),
           millsight.wilson_high(coalesce(found.defects, 0), looked.frames),
           found.newest, coalesce(found.cameras, looked.cameras, '{}')
    FROM shown
    LEFT JOIN millsight.machines m USING (machine_id)
    LEFT JOIN looked USING (machine_id)
    LEFT JOIN found USING (machine_id)
    ORDER BY m.line_id, m.position_m, machine_id, found.defects DESC, found.defect_class;
END $$;
COMMENT ON FUNCTION millsight.maintenance_report IS
    'One row per machine and defect class for captures from from_ts (included) to to_ts (excluded).'
    ' A machine without defects has one row with defect_class NULL: defects 0 when cameras looked and found nothing,'
    ' frames_inspected 0 and a NULL rate when no camera looked. A defect counts at the machine of the camera that'
    ' saw it, on every camera that saw it: attribution by first appearance comes with the process monitor';

CREATE VIEW millsight.maintenance_report AS
SELECT report.*
FROM (
    SELECT least(coalesce(max(last_captured_at) + interval '1 second', now()), now()) AS newest
    FROM millsight.cameras
) AS data,
LATERAL millsight.maintenance_report(data.newest - interval '24 hours', data.newest) AS report;
COMMENT ON VIEW millsight.maintenance_report IS
    'maintenance_report(from_ts, to_ts) over the last 24 hours of data, which end at the newest capture';
COMMENT ON COLUMN millsight.maintenance_report.line_id IS 'Line of the machine; NULL when line.yaml names it no more';
COMMENT ON COLUMN millsight.maintenance_report.machine_id IS
    'Machine of the camera that saw the defect: the first version does not yet say which machine caused it.'
    ' Attribution by first appearance along the line comes with the process monitor';
COMMENT ON COLUMN millsight.maintenance_report.defect_class IS 'NULL when no defect was seen at this machine';
COMMENT ON COLUMN millsight.maintenance_report.frames_inspected IS
    'Frames that cameras of this machine inspected in the window, of every class; 0: nobody looked.'
    ' A frame inspected by two model versions counts twice';
COMMENT ON COLUMN millsight.maintenance_report.defects IS 'Frames whose most probable class is defect_class';
COMMENT ON COLUMN millsight.maintenance_report.defect_rate IS 'defects / frames_inspected, 0 to 1; NULL: nobody looked';
COMMENT ON COLUMN millsight.maintenance_report.rate_low IS 'Lower end of the 95 % Wilson interval of defect_rate';
COMMENT ON COLUMN millsight.maintenance_report.rate_high IS
    'Upper end of the 95 % Wilson interval of defect_rate; frames of one defect are not independent, so read it as'
    ' a lower bound of the uncertainty';
COMMENT ON COLUMN millsight.maintenance_report.last_seen IS 'Newest capture of this class; NULL when none was seen';
COMMENT ON COLUMN millsight.maintenance_report.cameras IS
    'Cameras that saw the class; without a defect, the cameras that looked';

CREATE VIEW millsight.camera_activity AS
WITH recent AS (
    SELECT camera_id, count(*) AS frames_1h,
           count(*) FILTER (WHERE captured_at > now() - interval '1 minute') AS frames_1m,
           count(*) FILTER (WHERE defect_class <> 'no_defect') AS defects_1h
    FROM millsight.inspections
    WHERE captured_at > now() - interval '1 hour' AND captured_at <= now() + interval '1 minute'
    GROUP BY camera_id
), rejected AS (
    SELECT camera_id, count(*) AS rejected_1h FROM millsight.rejected_frames
    WHERE rejected_at > now() - interval '1 hour' GROUP BY camera_id
), dropped AS (
    SELECT camera_id, sum(dropped_total)::bigint AS dropped_ever FROM millsight.camera_sessions GROUP BY camera_id
), ids AS (
    SELECT camera_id FROM millsight.cameras UNION SELECT camera_id FROM millsight.camera_status
    UNION SELECT camera_id FROM rejected
)
SELECT camera_id,
       coalesce(c.line_id, 'unassigned') AS line_id,
       coalesce(c.machine_id, 'unassigned') AS machine_id,
       c.position_m,
       c.machine_id IS NULL OR c.machine_id = 'unassigned' OR c.removed_at IS NOT NULL AS unassigned,
       c.removed_at,
       c.last_captured_at,
       c.last_received_at,
       extract(epoch FROM now() - c.last_received_at)::double precision AS age_s,
       coalesce(recent.frames_1m, 0) AS frames_1m,
       coalesce(recent.frames_1h, 0) AS frames_1h,
       coalesce(recent.defects_1h, 0) AS defects_1h,
       coalesce(rejected.rejected_1h, 0) AS rejected_1h,
       s.state, s.reason, s.reported_at, s.session_id,
       s.captured_total, s.published_total, s.dropped_total,
       coalesce(dropped.dropped_ever, 0) AS dropped_ever,
       s.spooled_frames, s.spool_bytes, s.oldest_spooled_at
FROM ids
LEFT JOIN millsight.cameras c USING (camera_id)
LEFT JOIN millsight.camera_status s USING (camera_id)
LEFT JOIN recent USING (camera_id)
LEFT JOIN rejected USING (camera_id)
LEFT JOIN dropped USING (camera_id);
COMMENT ON VIEW millsight.camera_activity IS 'One row per camera ever declared or heard: what it does now';
COMMENT ON COLUMN millsight.camera_activity.unassigned IS 'line.yaml does not name the camera (any more)';
COMMENT ON COLUMN millsight.camera_activity.age_s IS
    'Seconds since the classifier last received a frame of it; NULL: never';
COMMENT ON COLUMN millsight.camera_activity.frames_1m IS 'Frames captured in the last minute (device clock)';
COMMENT ON COLUMN millsight.camera_activity.frames_1h IS 'Frames captured in the last hour (device clock)';
COMMENT ON COLUMN millsight.camera_activity.dropped_total IS 'Frames dropped in the present spool session';
COMMENT ON COLUMN millsight.camera_activity.dropped_ever IS 'Frames dropped in all spool sessions together';
COMMENT ON COLUMN millsight.camera_activity.spool_bytes IS 'Bytes on the camera''s disk that wait for the broker';

CREATE VIEW millsight.line_overview AS
WITH recent AS (
    SELECT machine_id, defect_class, count(*) AS frames, max(captured_at) AS newest
    FROM millsight.inspections
    WHERE captured_at > now() - interval '1 hour' AND captured_at <= now() + interval '1 minute'
    GROUP BY machine_id, defect_class
), totals AS (
    SELECT machine_id, sum(frames)::bigint AS frames_1h, max(newest) AS last_frame_at,
           coalesce(sum(frames) FILTER (WHERE defect_class <> 'no_defect'), 0)::bigint AS defects_1h,
           max(newest) FILTER (WHERE defect_class <> 'no_defect') AS last_defect_at
    FROM recent GROUP BY machine_id
), top AS (
    SELECT DISTINCT ON (machine_id) machine_id, defect_class, frames FROM recent
    WHERE defect_class <> 'no_defect' ORDER BY machine_id, frames DESC, defect_class
), watching AS (
    SELECT machine_id, array_agg(camera_id ORDER BY position_m, camera_id) AS cameras FROM millsight.cameras
    WHERE removed_at IS NULL GROUP BY machine_id
)
SELECT m.line_id, l.name AS line_name, machine_id, m.name AS machine_name, m.kind, m.position_m,
       coalesce(watching.cameras, '{}') AS cameras,
       coalesce(totals.frames_1h, 0) AS frames_1h,
       coalesce(totals.defects_1h, 0) AS defects_1h,
       totals.defects_1h::double precision / totals.frames_1h AS defect_rate,
       millsight.wilson_low(totals.defects_1h, totals.frames_1h) AS rate_low,
       millsight.wilson_high(totals.defects_1h, totals.frames_1h) AS rate_high,
       top.defect_class AS top_defect_class,
       totals.last_frame_at, totals.last_defect_at
FROM millsight.machines m
JOIN millsight.lines l USING (line_id)
LEFT JOIN watching USING (machine_id)
LEFT JOIN totals USING (machine_id)
LEFT JOIN top USING (machine_id)
WHERE (m.removed_at IS NULL AND machine_id <> 'unassigned') OR totals.frames_1h > 0;
COMMENT ON VIEW millsight.line_overview IS 'One row per machine: captures of the last hour, defects by seeing camera';
COMMENT ON COLUMN millsight.line_overview.cameras IS 'Cameras behind the machine, in strip order; {}: nobody looks';
COMMENT ON COLUMN millsight.line_overview.defect_rate IS 'defects_1h / frames_1h; NULL when nobody looked';
