-- Refused messages that people want looked at once more, for example after a model or a setting was mended.
CREATE TABLE millsight.second_looks (
    request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    frame_id uuid NOT NULL REFERENCES millsight.rejected_frames ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL CHECK (length(who) BETWEEN 1 AND 200),
    role text NOT NULL DEFAULT session_user,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
    taken_at timestamptz,
    finished_at timestamptz,
    problem text CHECK (length(problem) <= 1000)
);
CREATE UNIQUE INDEX second_looks_waiting ON millsight.second_looks (frame_id) WHERE state = 'waiting';
COMMENT ON TABLE millsight.second_looks IS
    'Refused messages that somebody sent to their topic again; the classifier does it within seconds';
COMMENT ON COLUMN millsight.second_looks.frame_id IS 'Of the refused message in rejected_frames';
COMMENT ON COLUMN millsight.second_looks.state IS
    'waiting; sent: the message is in its topic once more, with a new offset; failed: problem says why';
COMMENT ON COLUMN millsight.second_looks.taken_at IS 'When a classifier took it up last';

CREATE FUNCTION millsight.ask_second_look(frame_id uuid, who text) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    person text := left(nullif(btrim(ask_second_look.who), ''), 200);
    problem text;
    number bigint;
BEGIN
    problem := CASE
        WHEN person IS NULL THEN 'say who asks'
        WHEN NOT EXISTS (SELECT FROM millsight.rejected_frames r WHERE r.frame_id = ask_second_look.frame_id)
            THEN 'there is no such refused message any more'
        WHEN EXISTS (SELECT FROM millsight.second_looks s
                     WHERE s.frame_id = ask_second_look.frame_id AND s.state = 'waiting')
            THEN 'this message waits to be sent again already'
        END;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = problem, ERRCODE = '22023';
    END IF;
    INSERT INTO millsight.second_looks (frame_id, who) VALUES (ask_second_look.frame_id, person)
    RETURNING request_id INTO number;
    RETURN number;
END $$;
COMMENT ON FUNCTION millsight.ask_second_look IS
    'Asks the classifier to send a refused message to its topic again; refuses with SQLSTATE 22023';

CREATE FUNCTION millsight.take_second_looks(most integer)
RETURNS TABLE (request_id bigint, cluster_id text, topic text, kafka_partition integer, kafka_offset bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH next AS (
        SELECT s.request_id FROM millsight.second_looks s
        WHERE s.state = 'waiting' AND (s.taken_at IS NULL OR s.taken_at < now() - interval '1 minute')
        ORDER BY s.request_id LIMIT least(most, 100) FOR UPDATE SKIP LOCKED
    )
    UPDATE millsight.second_looks s SET taken_at = now()
    FROM next n, millsight.rejected_frames r
    WHERE s.request_id = n.request_id AND r.frame_id = s.frame_id
    RETURNING s.request_id, r.cluster_id, r.topic, r.kafka_partition, r.kafka_offset
$$;
COMMENT ON FUNCTION millsight.take_second_looks IS
    'For the classifier: requests to work on, each given to one of them; one that is not finished within a minute is'
    ' given out again';

CREATE FUNCTION millsight.finish_second_look(request_id bigint, problem text) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE millsight.second_looks s
    SET state = CASE WHEN finish_second_look.problem IS NULL THEN 'sent' ELSE 'failed' END,
        finished_at = clock_timestamp(), problem = left(finish_second_look.problem, 1000)
    WHERE s.request_id = finish_second_look.request_id AND s.state = 'waiting'
$$;
COMMENT ON FUNCTION millsight.finish_second_look IS 'For the classifier: the message was sent again, or why not';
