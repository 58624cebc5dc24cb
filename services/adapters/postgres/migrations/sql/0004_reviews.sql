-- What people say about frames: the queue that the dashboard shows, and the answers that training learns from.

-- Frames that the model is unsure about are looked for by every open review page; see UNSURE_BELOW.
CREATE INDEX inspections_unsure ON millsight.inspections (captured_at DESC) WHERE confidence < 0.6;

CREATE TABLE millsight.review_pictures (
    frame_id uuid PRIMARY KEY,
    content_type text NOT NULL,
    image bytea NOT NULL
);
ALTER TABLE millsight.review_pictures ALTER COLUMN image SET STORAGE EXTERNAL;
COMMENT ON TABLE millsight.review_pictures IS 'Pixels of reviewed frames, kept when inspection_images drops them';

CREATE TABLE millsight.reviews (
    review_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    frame_id uuid NOT NULL REFERENCES millsight.review_pictures,
    captured_at timestamptz NOT NULL,
    line_id text NOT NULL,
    machine_id text NOT NULL,
    camera_id text NOT NULL,
    coil_id text,
    material text NOT NULL,
    model_name text NOT NULL,
    model_version text NOT NULL,
    said_class text NOT NULL,
    said_confidence real NOT NULL,
    answer text,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL CHECK (length(who) BETWEEN 1 AND 200),
    role text NOT NULL DEFAULT session_user
);
CREATE INDEX reviews_frame ON millsight.reviews (frame_id, review_id DESC);
CREATE INDEX reviews_at ON millsight.reviews (at DESC);
COMMENT ON TABLE millsight.reviews IS
    'What people said about frames; rows are only ever added, of a frame the newest counts (view review_answers)';
COMMENT ON COLUMN millsight.reviews.said_class IS 'What the model had said';
COMMENT ON COLUMN millsight.reviews.answer IS 'Class that the person sees; NULL: it cannot be told from the picture';
COMMENT ON COLUMN millsight.reviews.who IS 'Name the person gave';
COMMENT ON COLUMN millsight.reviews.role IS 'Database role the answer came through';
CREATE TRIGGER reviews_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON millsight.reviews
    FOR EACH STATEMENT EXECUTE FUNCTION millsight.refuse_change();

CREATE VIEW millsight.review_answers AS
SELECT DISTINCT ON (frame_id) frame_id, captured_at, line_id, machine_id, camera_id, coil_id, material, model_name,
       model_version, said_class, said_confidence, answer, answer IS NOT DISTINCT FROM said_class AS confirmed, at, who
FROM millsight.reviews ORDER BY frame_id, review_id DESC;
COMMENT ON VIEW millsight.review_answers IS 'One row per reviewed frame: the newest answer';
COMMENT ON COLUMN millsight.review_answers.answer IS 'Class that the person sees; NULL: it cannot be told';
COMMENT ON COLUMN millsight.review_answers.confirmed IS 'Whether the person sees what the model said';

CREATE FUNCTION millsight.review_frame(
    frame_id uuid, captured_at timestamptz, model_name text, model_version text, answer text, who text
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    seen millsight.inspections;
    kept millsight.inspection_images;
    known text[];
    person text := left(nullif(btrim(review_frame.who), ''), 200);
    problem text;
    number bigint;
BEGIN
    SELECT * INTO seen FROM millsight.inspections i
    WHERE i.frame_id = review_frame.frame_id AND i.captured_at = review_frame.captured_at
        AND i.model_name = review_frame.model_name AND i.model_version = review_frame.model_version;
    SELECT * INTO kept FROM millsight.inspection_images i
    WHERE i.frame_id = review_frame.frame_id AND i.captured_at = review_frame.captured_at
        AND i.model_name = review_frame.model_name AND i.model_version = review_frame.model_version;
    SELECT labels INTO known FROM millsight.model_versions v
    WHERE v.name = review_frame.model_name AND v.version = review_frame.model_version;
    problem := CASE
        WHEN person IS NULL THEN 'say who answers'
        WHEN seen.frame_id IS NULL THEN 'there is no such frame any more'
        WHEN kept.frame_id IS NULL THEN 'the picture of this frame is no longer kept'
        WHEN review_frame.answer IS NOT NULL AND review_frame.answer <> ALL (coalesce(known, '{}'))
            THEN format('model %s version %s has no class %L', model_name, model_version, review_frame.answer)
        END;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = problem, ERRCODE = '22023';
    END IF;
    INSERT INTO millsight.review_pictures VALUES (kept.frame_id, kept.content_type, kept.image) ON CONFLICT DO NOTHING;
    INSERT INTO millsight.reviews (frame_id, captured_at, line_id, machine_id, camera_id, coil_id, material, model_name,
        model_version, said_class, said_confidence, answer, who)
    VALUES (seen.frame_id, seen.captured_at, seen.line_id, seen.machine_id, seen.camera_id, seen.coil_id, seen.material,
        seen.model_name, seen.model_version, seen.defect_class, seen.confidence, review_frame.answer, person)
    RETURNING review_id INTO number;
    RETURN number;
END $$;
COMMENT ON FUNCTION millsight.review_frame IS
    'The only way to say what a frame shows: a class of the model that judged it, or NULL when it cannot be told;'
    ' keeps the picture, refuses with SQLSTATE 22023, returns the number of the review';
