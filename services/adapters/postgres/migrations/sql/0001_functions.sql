-- What the classifier may change beyond inserting, each behind a function that can only do that one thing.

CREATE FUNCTION millsight.note_cameras(camera_ids text[], captured timestamptz[], received timestamptz[])
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO millsight.cameras AS known (camera_id, line_id, machine_id, last_captured_at, last_received_at)
    SELECT seen.id, 'unassigned', 'unassigned', max(least(seen.captured, seen.received)), max(seen.received)
    FROM unnest(camera_ids, captured, received) AS seen (id, captured, received)
    GROUP BY seen.id ORDER BY seen.id
    ON CONFLICT (camera_id) DO UPDATE SET
        last_captured_at = greatest(known.last_captured_at, excluded.last_captured_at),
        last_received_at = greatest(known.last_received_at, excluded.last_received_at)
$$;
COMMENT ON FUNCTION millsight.note_cameras IS
    'Widens when cameras were last seen; a camera nobody declared becomes a row under machine ''unassigned''';

CREATE FUNCTION millsight.note_coils(
    line_ids text[], coil_ids text[], materials text[], captured timestamptz[], received timestamptz[]
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO millsight.coils AS known (line_id, coil_id, material, first_seen, last_seen)
    SELECT seen.line_id, seen.coil_id, min(seen.material), min(least(seen.captured, seen.received)),
           max(least(seen.captured, seen.received))
    FROM unnest(line_ids, coil_ids, materials, captured, received)
         AS seen (line_id, coil_id, material, captured, received)
    GROUP BY seen.line_id, seen.coil_id ORDER BY seen.line_id, seen.coil_id
    ON CONFLICT (line_id, coil_id) DO UPDATE SET
        first_seen = least(known.first_seen, excluded.first_seen),
        last_seen = greatest(known.last_seen, excluded.last_seen)
    WHERE known.first_seen > excluded.first_seen OR known.last_seen < excluded.last_seen
$$;
COMMENT ON FUNCTION millsight.note_coils IS 'Widens the span in which coils were seen; order of arrival is no matter';

CREATE FUNCTION millsight.note_camera_status(status jsonb)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH said AS (SELECT * FROM jsonb_populate_record(NULL::millsight.camera_status, status)),
    session AS (
        INSERT INTO millsight.camera_sessions AS known
        SELECT camera_id, session_id, reported_at, reported_at, captured_total, published_total, dropped_total FROM said
        ON CONFLICT (camera_id, session_id) DO UPDATE SET
            first_reported_at = least(known.first_reported_at, excluded.first_reported_at),
            reported_at = greatest(known.reported_at, excluded.reported_at),
            captured_total = greatest(known.captured_total, excluded.captured_total),
            published_total = greatest(known.published_total, excluded.published_total),
            dropped_total = greatest(known.dropped_total, excluded.dropped_total)
    )
    INSERT INTO millsight.camera_status AS known SELECT * FROM said
    ON CONFLICT (camera_id) DO UPDATE SET
        session_id = excluded.session_id, reported_at = excluded.reported_at, state = excluded.state,
        reason = excluded.reason, captured_total = excluded.captured_total,
        published_total = excluded.published_total, dropped_total = excluded.dropped_total,
        spooled_frames = excluded.spooled_frames, spool_bytes = excluded.spool_bytes,
        oldest_spooled_at = excluded.oldest_spooled_at
    WHERE known.reported_at < excluded.reported_at
$$;
COMMENT ON FUNCTION millsight.note_camera_status IS 'Keeps the report with the newest reported_at; counters never shrink';

-- Partitions: one per UTC day and table, named <table>_pYYYYMMDD.

CREATE FUNCTION millsight.day_start(day date) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (day::timestamp AT TIME ZONE 'UTC');

CREATE FUNCTION millsight.add_partition(parent text, day date) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    child text := parent || '_p' || to_char(day, 'YYYYMMDD');
    from_ts timestamptz := millsight.day_start(day);
    to_ts timestamptz := millsight.day_start(day + 1);
BEGIN
    -- Writers of this day's rows wait here, so that none slips into DEFAULT between the move and the attachment.
    EXECUTE format('LOCK TABLE millsight.%I IN ACCESS EXCLUSIVE MODE', parent || '_default');
    EXECUTE format('CREATE TABLE millsight.%I (LIKE millsight.%I INCLUDING ALL)', child, parent);
    EXECUTE format(
        'WITH moved AS (DELETE FROM millsight.%I WHERE captured_at >= $1 AND captured_at < $2 RETURNING *)'
        ' INSERT INTO millsight.%I SELECT * FROM moved', parent || '_default', child) USING from_ts, to_ts;
    EXECUTE format('ALTER TABLE millsight.%I ATTACH PARTITION millsight.%I FOR VALUES FROM (%L) TO (%L)',
        parent, child, from_ts, to_ts);
END $$;

CREATE FUNCTION millsight.ensure_partitions(days_ahead integer) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    parent text;
    missing date;
    added integer := 0;
BEGIN
    IF days_ahead NOT BETWEEN 0 AND 31 THEN
        RAISE EXCEPTION 'days_ahead must lie between 0 and 31, not %', days_ahead USING ERRCODE = '22023';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('millsight.partitions', 0));
    FOREACH parent IN ARRAY ARRAY['inspections', 'inspection_images'] LOOP
        FOR missing IN EXECUTE format(
            'SELECT day::date FROM ('
            ' SELECT generate_series($1 - 7, $1 + $2, interval ''1 day'') AS day UNION'
            ' SELECT DISTINCT date_trunc(''day'', captured_at AT TIME ZONE ''UTC'') FROM millsight.%I'
            ' WHERE captured_at >= millsight.day_start($1 - 31) AND captured_at < millsight.day_start($1 + $2 + 1)'
            ') AS wanted ORDER BY day', parent || '_default') USING today, days_ahead
        LOOP
            IF to_regclass(format('millsight.%I', parent || '_p' || to_char(missing, 'YYYYMMDD'))) IS NULL THEN
                PERFORM millsight.add_partition(parent, missing);
                added := added + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN added;
END $$;
COMMENT ON FUNCTION millsight.ensure_partitions IS
    'Adds missing day partitions from a week ago to days_ahead, and for late rows of the last 31 days in DEFAULT;'
    ' returns how many were added. Safe at any time and from several workers at once';

CREATE FUNCTION millsight.drop_old_partitions(keep_days integer, keep_image_days integer)
RETURNS SETOF text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
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
    DELETE FROM millsight.inspections_default WHERE stored_at < now() - make_interval(days => keep_days);
    DELETE FROM millsight.inspection_images_default
    WHERE stored_at < now() - make_interval(days => keep_image_days);
    DELETE FROM millsight.rejected_frames WHERE stored_at < now() - make_interval(days => keep_days);
END $$;
COMMENT ON FUNCTION millsight.drop_old_partitions IS
    'Retention, for the owner: drops day partitions older than the given days, and rows stored that long ago in'
    ' DEFAULT and in rejected_frames; returns the dropped partitions';

CREATE FUNCTION millsight.apply_retention() RETURNS SETOF text LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT millsight.drop_old_partitions(keep_days, keep_image_days) FROM millsight.retention
$$;
COMMENT ON FUNCTION millsight.apply_retention IS
    'Retention as the owner set it in table retention: the classifier may start it, and cannot choose the days';
