-- The line as line.yaml describes it. Rows are marked removed, never deleted: old inspections still name them.
CREATE TABLE millsight.lines (
    line_id text PRIMARY KEY,
    name text NOT NULL,
    speed_m_s double precision,
    removed_at timestamptz
);
COMMENT ON TABLE millsight.lines IS 'Strip lines of the plant, from line.yaml';
COMMENT ON COLUMN millsight.lines.speed_m_s IS 'Nominal strip speed, metres per second';
COMMENT ON COLUMN millsight.lines.removed_at IS 'When the line left line.yaml; NULL while it is in it';

CREATE TABLE millsight.machines (
    machine_id text PRIMARY KEY,
    line_id text NOT NULL REFERENCES millsight.lines,
    name text NOT NULL,
    kind text NOT NULL,
    position_m double precision,
    rolls jsonb NOT NULL DEFAULT '[]',
    removed_at timestamptz
);
COMMENT ON TABLE millsight.machines IS 'Machines in strip order, from line.yaml, and the row ''unassigned''';
COMMENT ON COLUMN millsight.machines.position_m IS 'Distance from the line''s entry along the strip, metres';
COMMENT ON COLUMN millsight.machines.rolls IS 'Rolls that touch the strip: [{"id": ..., "diameter_mm": ...}]';
COMMENT ON COLUMN millsight.machines.removed_at IS 'When the machine left line.yaml; NULL while it is in it';

CREATE TABLE millsight.cameras (
    camera_id text PRIMARY KEY,
    line_id text NOT NULL REFERENCES millsight.lines,
    machine_id text NOT NULL REFERENCES millsight.machines,
    position_m double precision,
    material text,
    model text,
    removed_at timestamptz,
    last_captured_at timestamptz,
    last_received_at timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE millsight.cameras IS
    'Cameras from line.yaml, and cameras that simply published (machine ''unassigned'')';
COMMENT ON COLUMN millsight.cameras.position_m IS 'Distance from the line''s entry along the strip, metres';
COMMENT ON COLUMN millsight.cameras.removed_at IS 'When the camera left line.yaml; NULL otherwise';
COMMENT ON COLUMN millsight.cameras.last_captured_at IS
    'Newest capture (device clock, never later than its arrival), exact to one second';
COMMENT ON COLUMN millsight.cameras.last_received_at IS
    'When the classifier last received a frame of it, exact to one second while frames flow';

INSERT INTO millsight.lines (line_id, name) VALUES ('unassigned', 'Cameras that no line names');
INSERT INTO millsight.machines (machine_id, line_id, name, kind)
VALUES ('unassigned', 'unassigned', 'Cameras that no line names', 'unassigned');

CREATE TABLE millsight.coils (
    line_id text NOT NULL,
    coil_id text NOT NULL,
    material text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    PRIMARY KEY (line_id, coil_id)
) WITH (fillfactor = 50);
CREATE INDEX coils_last_seen ON millsight.coils (last_seen DESC);
COMMENT ON TABLE millsight.coils IS 'Coils seen on a line, with the span of captures that showed them';
COMMENT ON COLUMN millsight.coils.first_seen IS 'Oldest capture (device clock)';
COMMENT ON COLUMN millsight.coils.last_seen IS 'Newest capture (device clock, never later than its arrival)';

CREATE TABLE millsight.model_versions (
    name text NOT NULL,
    version text NOT NULL,
    sha256 text NOT NULL,
    labels text[] NOT NULL,
    card jsonb NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);
COMMENT ON TABLE millsight.model_versions IS 'Every model version that classified frames, with its model card';
COMMENT ON COLUMN millsight.model_versions.sha256 IS 'Digest of the served weights, hexadecimal';
COMMENT ON COLUMN millsight.model_versions.labels IS 'Class names in the model''s output order';

-- One row per inspected frame and model version; a partition per UTC day, DEFAULT for days without one.
CREATE TABLE millsight.inspections (
    frame_id uuid NOT NULL,
    line_id text NOT NULL,
    machine_id text NOT NULL,
    camera_id text NOT NULL,
    coil_id text,
    material text NOT NULL,
    captured_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    strip_position_m double precision,
    sequence bigint,
    defect_class text NOT NULL,
    confidence real NOT NULL,
    probabilities jsonb NOT NULL,
    model_name text NOT NULL,
    model_version text NOT NULL,
    topic text NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset bigint NOT NULL,
    cluster_id text NOT NULL,
    width_px integer NOT NULL,
    height_px integer NOT NULL,
    PRIMARY KEY (frame_id, model_name, model_version, captured_at)
) PARTITION BY RANGE (captured_at);
CREATE INDEX inspections_captured_at ON millsight.inspections USING brin (captured_at);
CREATE INDEX inspections_machine ON millsight.inspections (machine_id, captured_at DESC)
    INCLUDE (camera_id, defect_class);
CREATE INDEX inspections_camera ON millsight.inspections (camera_id, captured_at DESC);
CREATE INDEX inspections_defects ON millsight.inspections (captured_at DESC)
    WHERE defect_class <> 'no_defect';
CREATE TABLE millsight.inspections_default PARTITION OF millsight.inspections DEFAULT;
COMMENT ON TABLE millsight.inspections IS 'One row per frame and model version: what the model said about it';
COMMENT ON COLUMN millsight.inspections.frame_id IS 'Stable name of the frame; a replay adds no second row';
COMMENT ON COLUMN millsight.inspections.machine_id IS
    'Machine the camera stands behind; ''unassigned'' when line.yaml does not name the camera';
COMMENT ON COLUMN millsight.inspections.coil_id IS 'Coil under the camera; NULL when the camera does not know it';
COMMENT ON COLUMN millsight.inspections.captured_at IS 'Exposure by the device''s clock; may be skewed';
COMMENT ON COLUMN millsight.inspections.received_at IS 'When the classifier read the frame (its own clock)';
COMMENT ON COLUMN millsight.inspections.stored_at IS 'Start of the transaction that stored the row (database clock)';
COMMENT ON COLUMN millsight.inspections.strip_position_m IS
    'Position of the frame''s centre along the coil''s strip, metres; NULL when unknown';
COMMENT ON COLUMN millsight.inspections.sequence IS 'Durable counter of the camera''s spool; NULL for a bare image';
COMMENT ON COLUMN millsight.inspections.defect_class IS 'Most probable class; no_defect: looked and found nothing';
COMMENT ON COLUMN millsight.inspections.confidence IS 'Probability of defect_class, 0 to 1';
COMMENT ON COLUMN millsight.inspections.probabilities IS 'Class to probability, {"crease": 0.01, ...}; sums to 1';
COMMENT ON COLUMN millsight.inspections.kafka_offset IS 'Offset within topic and partition of cluster_id, for audit';

CREATE TABLE millsight.inspection_images (
    frame_id uuid NOT NULL,
    model_name text NOT NULL,
    model_version text NOT NULL,
    captured_at timestamptz NOT NULL,
    camera_id text NOT NULL,
    defect_class text NOT NULL,
    content_type text NOT NULL,
    image bytea NOT NULL,
    evidence jsonb,
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (frame_id, model_name, model_version, captured_at)
) PARTITION BY RANGE (captured_at);
ALTER TABLE millsight.inspection_images ALTER COLUMN image SET STORAGE EXTERNAL;
CREATE TABLE millsight.inspection_images_default PARTITION OF millsight.inspection_images DEFAULT;
COMMENT ON TABLE millsight.inspection_images IS
    'Pixels kept as evidence, mostly of defect frames; kept for fewer days than inspections';
COMMENT ON COLUMN millsight.inspection_images.image IS 'JPEG or PNG bytes, see content_type';
COMMENT ON COLUMN millsight.inspection_images.evidence IS
    'Class evidence map of defect_class, rows of numbers over a coarse grid of the image, top row first';

CREATE TABLE millsight.rejected_frames (
    frame_id uuid PRIMARY KEY,
    camera_id text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    rejected_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    payload_bytes bigint NOT NULL,
    topic text NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset bigint NOT NULL,
    cluster_id text NOT NULL
);
CREATE INDEX rejected_frames_camera ON millsight.rejected_frames (camera_id, rejected_at DESC);
CREATE INDEX rejected_frames_rejected_at ON millsight.rejected_frames (rejected_at DESC);
COMMENT ON TABLE millsight.rejected_frames IS
    'Messages that will never become an inspection; the bytes lie in the dead-letter topic frames.dlq';
COMMENT ON COLUMN millsight.rejected_frames.payload_bytes IS 'Size of the message''s value, bytes';

CREATE TABLE millsight.camera_sessions (
    camera_id text NOT NULL,
    session_id uuid NOT NULL,
    first_reported_at timestamptz NOT NULL,
    reported_at timestamptz NOT NULL,
    captured_total bigint NOT NULL,
    published_total bigint NOT NULL,
    dropped_total bigint NOT NULL,
    PRIMARY KEY (camera_id, session_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE millsight.camera_sessions IS
    'Final counters of every spool session of a camera room: drops stay counted after the spool is replaced';

CREATE TABLE millsight.retention (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    keep_days integer NOT NULL DEFAULT 90 CHECK (keep_days BETWEEN 1 AND 36500),
    keep_image_days integer NOT NULL DEFAULT 14 CHECK (keep_image_days BETWEEN 1 AND 36500)
);
COMMENT ON TABLE millsight.retention IS 'How long results are kept; `millsight db retention` changes it';
COMMENT ON COLUMN millsight.retention.keep_days IS 'Days of inspections and rejected frames';
COMMENT ON COLUMN millsight.retention.keep_image_days IS 'Days of the images kept as evidence';
INSERT INTO millsight.retention DEFAULT VALUES;

CREATE TABLE millsight.camera_status (
    camera_id text PRIMARY KEY,
    session_id uuid NOT NULL,
    reported_at timestamptz NOT NULL,
    state text NOT NULL,
    reason text,
    captured_total bigint NOT NULL,
    published_total bigint NOT NULL,
    dropped_total bigint NOT NULL,
    spooled_frames bigint NOT NULL,
    spool_bytes bigint NOT NULL,
    oldest_spooled_at timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE millsight.camera_status IS 'Latest report of each camera room about its camera';
COMMENT ON COLUMN millsight.camera_status.captured_total IS 'Frames taken from the source in this session';
COMMENT ON COLUMN millsight.camera_status.published_total IS 'Frames the broker acknowledged in this session';
COMMENT ON COLUMN millsight.camera_status.dropped_total IS 'Frames dropped by the spool''s policy in this session';
COMMENT ON COLUMN millsight.camera_status.spooled_frames IS 'Frames on the camera''s disk that wait for the broker';
COMMENT ON COLUMN millsight.camera_status.spool_bytes IS 'Bytes on the camera''s disk that wait for the broker';
