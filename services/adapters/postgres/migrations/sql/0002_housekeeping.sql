-- Retention of what the process monitor writes, and what to do after a restore from a dump.

CREATE OR REPLACE FUNCTION millsight.drop_old_partitions(keep_days integer, keep_image_days integer)
RETURNS SETOF text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    oldest timestamptz := now() - make_interval(days => keep_days);
    parent text;
    keep integer;
    child text;
BEGIN
    IF least(keep_days, keep_image_days) < 1 THEN
        RAISE EXCEPTION 'keep at least one day' USING ERRCODE = '22023';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('millsight.partitions', 0));
    FOR parent, keep IN VALUES ('inspections', keep_days), ('inspection_images', keep_image_days) LOOP
        FOR child IN
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = to_regclass(format('millsight.%I', parent))
              AND c.relname ~ ('^' || parent || '_p[0-9]{8}$')
              AND to_date(right(c.relname, 8), 'YYYYMMDD') < today - keep
            ORDER BY c.relname
        LOOP
            EXECUTE format('DROP TABLE millsight.%I', child);
            RETURN NEXT child;
        END LOOP;
    END LOOP;
    DELETE FROM millsight.inspections_default WHERE stored_at < oldest;
    DELETE FROM millsight.inspection_images_default
    WHERE stored_at < now() - make_interval(days => keep_image_days);
    DELETE FROM millsight.rejected_frames WHERE stored_at < oldest;
    DELETE FROM millsight.defects WHERE seen_at < oldest;
    DELETE FROM millsight.stream_points WHERE ended_at < oldest;
    DELETE FROM millsight.camera_exposures WHERE ended_at < oldest;
    DELETE FROM millsight.nightly_list WHERE window_end < oldest;
    -- Receivers may try an alert for weeks, whatever the days of results.
    DELETE FROM millsight.alert_outbox o WHERE created_at < least(oldest, now() - interval '30 days')
        AND NOT EXISTS (SELECT FROM millsight.alert_deliveries d WHERE d.alert_id = o.alert_id AND d.state = 'pending');
END $$;
COMMENT ON FUNCTION millsight.drop_old_partitions IS
    'Retention, for the owner: drops day partitions older than the given days, rows stored that long ago in DEFAULT'
    ' and in rejected_frames, and defects, charts and exposures of that age; returns the dropped partitions.'
    ' Coil records, flags and work orders stay';
COMMENT ON COLUMN millsight.retention.keep_days IS
    'Days of inspections, rejected frames, registered defects, chart points and camera exposures';

CREATE FUNCTION millsight.cluster_id() RETURNS text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT system_identifier::text FROM pg_control_system()
$$;
COMMENT ON FUNCTION millsight.cluster_id IS 'System identifier of the database cluster';

CREATE FUNCTION millsight.database_was_restored() RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    renamed bigint;
BEGIN
    UPDATE millsight.inspections SET change_no = NULL WHERE change_no IS NOT NULL;
    GET DIAGNOSTICS renamed = ROW_COUNT;
    DELETE FROM millsight.monitor_cursor;
    DELETE FROM millsight.monitor_checkpoints;
    RETURN renamed;
END $$;
COMMENT ON FUNCTION millsight.database_was_restored IS
    'For the owner, once after restoring a dump into another cluster, process monitor and classifiers stopped: the'
    ' transaction numbers in inspections are those of the old cluster, so they are forgotten, and the process monitor'
    ' reads everything that is kept once more. Flags and work orders stay. Returns the number of inspections';
