-- Counts by minute, kept by the very transactions that store inspections: reports over days need not read every frame.
CREATE TABLE millsight.frame_counts (
    minute timestamptz NOT NULL,
    line_id text NOT NULL,
    machine_id text NOT NULL,
    camera_id text NOT NULL,
    defect_class text NOT NULL,
    model_name text NOT NULL,
    model_version text NOT NULL,
    frames bigint NOT NULL,
    confidence_sum double precision NOT NULL,
    first_captured_at timestamptz NOT NULL,
    last_captured_at timestamptz NOT NULL,
    PRIMARY KEY (minute, camera_id, defect_class, machine_id, line_id, model_name, model_version)
) WITH (fillfactor = 70);
COMMENT ON TABLE millsight.frame_counts IS
    'Inspections by minute of capture, place, class and model version; always in step with table inspections';
COMMENT ON COLUMN millsight.frame_counts.minute IS 'Start of the minute in which the frames were captured';
COMMENT ON COLUMN millsight.frame_counts.frames IS 'Number of inspections';
COMMENT ON COLUMN millsight.frame_counts.confidence_sum IS 'Sum of their confidence; divided by frames: the mean';

-- ON CONFLICT DO NOTHING leaves rows that were there already out of `added`: a replay counts nothing twice.
-- One order for all writers: no deadlock.
CREATE FUNCTION millsight.count_frames() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO millsight.frame_counts AS known
    SELECT date_trunc('minute', captured_at), line_id, machine_id, camera_id, defect_class, model_name, model_version,
           count(*), sum(confidence), min(captured_at), max(captured_at)
    FROM added GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 4, 5, 3, 2, 6, 7
    ON CONFLICT (minute, camera_id, defect_class, machine_id, line_id, model_name, model_version) DO UPDATE SET
        frames = known.frames + excluded.frames,
        confidence_sum = known.confidence_sum + excluded.confidence_sum,
        first_captured_at = least(known.first_captured_at, excluded.first_captured_at),
        last_captured_at = greatest(known.last_captured_at, excluded.last_captured_at);
    RETURN NULL;
END $$;

-- Making the trigger holds back writers until this migration ends, so that the rows counted below are all there are.
CREATE TRIGGER inspections_are_counted AFTER INSERT ON millsight.inspections REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION millsight.count_frames();

INSERT INTO millsight.frame_counts
SELECT date_trunc('minute', captured_at), line_id, machine_id, camera_id, defect_class, model_name, model_version,
       count(*), sum(confidence), min(captured_at), max(captured_at)
FROM millsight.inspections GROUP BY 1, 2, 3, 4, 5, 6, 7;

CREATE FUNCTION millsight.counted(from_ts timestamptz, to_ts timestamptz)
RETURNS TABLE (
    line_id text, machine_id text, camera_id text, defect_class text, model_name text, model_version text,
    frames bigint, confidence_sum double precision, first_captured_at timestamptz, last_captured_at timestamptz
) LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    first_whole timestamptz := date_trunc('minute', from_ts + interval '59.999999 seconds');
    end_whole timestamptz := greatest(date_trunc('minute', to_ts), first_whole);
BEGIN
    RETURN QUERY
    WITH parts AS (
        SELECT line_id, machine_id, camera_id, defect_class, model_name, model_version, sum(frames)::bigint AS frames,
               sum(confidence_sum) AS confidence_sum, min(first_captured_at) AS first_captured_at,
               max(last_captured_at) AS last_captured_at
        FROM millsight.frame_counts WHERE minute >= first_whole AND minute < end_whole GROUP BY 1, 2, 3, 4, 5, 6
        UNION ALL
        SELECT line_id, machine_id, camera_id, defect_class, model_name, model_version, count(*), sum(confidence)::float8,
               min(captured_at), max(captured_at)
        FROM millsight.inspections WHERE captured_at >= from_ts AND captured_at < least(first_whole, to_ts)
        GROUP BY 1, 2, 3, 4, 5, 6
        UNION ALL
        SELECT line_id, machine_id, camera_id, defect_class, model_name, model_version, count(*), sum(confidence)::float8,
               min(captured_at), max(captured_at)
        FROM millsight.inspections WHERE captured_at >= end_whole AND captured_at < to_ts
        GROUP BY 1, 2, 3, 4, 5, 6
    )
    SELECT line_id, machine_id, camera_id, defect_class, model_name, model_version, sum(frames)::bigint,
           sum(confidence_sum), min(first_captured_at), max(last_captured_at)
    FROM parts GROUP BY 1, 2, 3, 4, 5, 6;
END $$;
COMMENT ON FUNCTION millsight.counted IS
    'Inspections captured from from_ts (included) to to_ts (excluded) by place, class and model version: whole minutes'
    ' from table frame_counts, the rest frame by frame. Exact, and as quick for a week as for a minute';

CREATE OR REPLACE FUNCTION millsight.sightings_report(from_ts timestamptz, to_ts timestamptz)
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
        SELECT machine_id, camera_id, defect_class, frames, last_captured_at AS newest
        FROM millsight.counted(from_ts, to_ts)
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

-- Readers of the coil map and the review queue look for the registered defect that a frame belongs to.
CREATE INDEX defect_sightings_frame ON millsight.defect_sightings (frame_id);

CREATE FUNCTION millsight.forget_counts(keep_days integer) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (
        DELETE FROM millsight.inspections_default WHERE stored_at < now() - make_interval(days => keep_days)
        RETURNING captured_at, line_id, machine_id, camera_id, defect_class, model_name, model_version, confidence
    ), fewer AS (
        SELECT date_trunc('minute', captured_at) AS minute, line_id, machine_id, camera_id, defect_class, model_name,
               model_version, count(*) AS frames, sum(confidence) AS confidence_sum
        FROM gone GROUP BY 1, 2, 3, 4, 5, 6, 7
    )
    UPDATE millsight.frame_counts c
    SET frames = c.frames - f.frames, confidence_sum = c.confidence_sum - f.confidence_sum
    FROM fewer f
    WHERE (c.minute, c.camera_id, c.defect_class, c.machine_id, c.line_id, c.model_name, c.model_version)
        = (f.minute, f.camera_id, f.defect_class, f.machine_id, f.line_id, f.model_name, f.model_version);
    DELETE FROM millsight.frame_counts c
    WHERE c.frames <= 0
        OR (c.minute < millsight.day_start((now() AT TIME ZONE 'UTC')::date - keep_days)
            AND NOT EXISTS (SELECT FROM millsight.inspections_default d WHERE d.camera_id = c.camera_id
                            AND d.captured_at >= c.minute AND d.captured_at < c.minute + interval '1 minute'));
$$;
COMMENT ON FUNCTION millsight.forget_counts IS
    'Part of the retention, for the owner: drops old inspections in DEFAULT, and what frame_counts holds of them and'
    ' of day partitions that are too old; `apply_retention` calls it before it drops those, in the same transaction';

CREATE OR REPLACE FUNCTION millsight.apply_retention() RETURNS SETOF text LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept millsight.retention;
BEGIN
    SELECT * INTO STRICT kept FROM millsight.retention;
    PERFORM millsight.forget_counts(kept.keep_days);
    RETURN QUERY SELECT millsight.drop_old_partitions(kept.keep_days, kept.keep_image_days);
END $$;
