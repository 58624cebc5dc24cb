-- What the process monitor states about coils that have passed all cameras. Saving a coil again replaces its rows.

CREATE TABLE millsight.machine_groups (
    line_id text NOT NULL,
    group_id text NOT NULL,
    machine_ids text[] NOT NULL,
    first_camera text,
    is_current boolean NOT NULL DEFAULT true,
    PRIMARY KEY (line_id, group_id)
);
COMMENT ON TABLE millsight.machine_groups IS
    'Machines that no camera separates: the smallest thing that can be blamed. Groups of earlier layouts stay';
COMMENT ON COLUMN millsight.machine_groups.group_id IS 'Machine ids in strip order, joined by ''+''';
COMMENT ON COLUMN millsight.machine_groups.first_camera IS
    'First camera behind the group; NULL: no camera looks, nothing is known of these machines';
COMMENT ON COLUMN millsight.machine_groups.is_current IS 'Whether the line as it stands now has this group';

CREATE TABLE millsight.coil_records (
    line_id text NOT NULL,
    coil_id text NOT NULL,
    number bigint NOT NULL,
    material text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    start_m double precision NOT NULL,
    length_m double precision NOT NULL,
    state text NOT NULL,
    defects integer NOT NULL,
    grade text,
    grade_reason text,
    price double precision,
    currency text,
    quality_loss jsonb NOT NULL,
    quality_loss_m jsonb NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (line_id, coil_id)
);
CREATE INDEX coil_records_number ON millsight.coil_records (line_id, number);
CREATE INDEX coil_records_ended_at ON millsight.coil_records (ended_at);
COMMENT ON TABLE millsight.coil_records IS 'Coils that have passed all cameras, as the process monitor judged them';
COMMENT ON COLUMN millsight.coil_records.number IS 'Place in the order of the line, from 0';
COMMENT ON COLUMN millsight.coil_records.start_m IS 'First inspected place on the scale of the line, metres';
COMMENT ON COLUMN millsight.coil_records.length_m IS 'Metres from the first to the last inspected place';
COMMENT ON COLUMN millsight.coil_records.state IS '''learning'' while the line''s baseline is learnt, else ''monitored''';
COMMENT ON COLUMN millsight.coil_records.defects IS 'Registered defects, coil-change marks left out';
COMMENT ON COLUMN millsight.coil_records.grade IS 'By the material pack''s rules; NULL: the pack has none';
COMMENT ON COLUMN millsight.coil_records.price IS 'Of the whole coil, in currency; NULL: no price list for that day';
COMMENT ON COLUMN millsight.coil_records.quality_loss IS
    'Money lost to the best grade, by cause: {"skinpass-1": 120.5, "unattributed": 3.0}';
COMMENT ON COLUMN millsight.coil_records.quality_loss_m IS 'Metres of defective strip, by cause';

CREATE TABLE millsight.camera_exposures (
    line_id text NOT NULL,
    coil_id text NOT NULL,
    camera_id text NOT NULL,
    ended_at timestamptz NOT NULL,
    frames bigint NOT NULL,
    inspected_m double precision NOT NULL,
    sightings bigint NOT NULL,
    confirmed bigint NOT NULL,
    sensitivity double precision,
    false_per_frame double precision,
    PRIMARY KEY (line_id, coil_id, camera_id),
    FOREIGN KEY (line_id, coil_id) REFERENCES millsight.coil_records
);
CREATE INDEX camera_exposures_ended_at ON millsight.camera_exposures (ended_at);
COMMENT ON TABLE millsight.camera_exposures IS 'What one camera did on one coil: the denominators of all rates';
COMMENT ON COLUMN millsight.camera_exposures.ended_at IS 'When the coil ended';
COMMENT ON COLUMN millsight.camera_exposures.inspected_m IS 'Metres of the coil on its frames, overlaps counted once';
COMMENT ON COLUMN millsight.camera_exposures.sightings IS 'Frames it called a defect';
COMMENT ON COLUMN millsight.camera_exposures.confirmed IS
    'Of the sightings, those that another camera confirmed or that no other camera could confirm';
COMMENT ON COLUMN millsight.camera_exposures.sensitivity IS
    'Running estimate of the share of defects it reports, 0 to 1; NULL: nothing known yet';
COMMENT ON COLUMN millsight.camera_exposures.false_per_frame IS 'Running estimate of its false calls per frame';

CREATE TABLE millsight.stream_points (
    line_id text NOT NULL,
    coil_id text NOT NULL,
    group_id text NOT NULL,
    defect_class text NOT NULL,
    ended_at timestamptz NOT NULL,
    first_seen double precision NOT NULL,
    expected double precision NOT NULL,
    exposure_m double precision NOT NULL,
    statistic double precision NOT NULL,
    PRIMARY KEY (line_id, coil_id, group_id, defect_class),
    FOREIGN KEY (line_id, coil_id) REFERENCES millsight.coil_records
);
CREATE INDEX stream_points_ended_at ON millsight.stream_points (ended_at, line_id);
COMMENT ON TABLE millsight.stream_points IS 'Control charts: one row per coil, machine group and defect class';
COMMENT ON COLUMN millsight.stream_points.ended_at IS 'When the coil ended';
COMMENT ON COLUMN millsight.stream_points.first_seen IS
    'Expected number of registered defects that this group left on the coil (sum of posterior weights)';
COMMENT ON COLUMN millsight.stream_points.expected IS 'The same, if the group were in its baseline state';
COMMENT ON COLUMN millsight.stream_points.exposure_m IS
    'Metres inspected, weighted with the chance that a defect is reported at all; 0: nobody looked';
COMMENT ON COLUMN millsight.stream_points.statistic IS 'CUSUM after this coil, nats';

CREATE TABLE millsight.landmark_events (
    line_id text NOT NULL,
    coil_id text NOT NULL,
    ordinal integer NOT NULL,
    kind text NOT NULL,
    defect_class text NOT NULL,
    position_m double precision,
    cameras text[] NOT NULL,
    PRIMARY KEY (line_id, coil_id, ordinal),
    FOREIGN KEY (line_id, coil_id) REFERENCES millsight.coil_records
);
COMMENT ON TABLE millsight.landmark_events IS
    'Coil-change marks (weld, hole beside a weld, notch): events, never a machine''s fault';
COMMENT ON COLUMN millsight.landmark_events.kind IS '''seen'', ''missing'' or ''surplus''';
COMMENT ON COLUMN millsight.landmark_events.position_m IS 'Place on the scale of the line, metres; NULL: missing';

CREATE TABLE millsight.defects (
    defect_id uuid PRIMARY KEY,
    line_id text NOT NULL,
    coil_id text NOT NULL,
    seen_at timestamptz NOT NULL,
    position_m double precision NOT NULL,
    position_sd_m double precision NOT NULL,
    defect_class text NOT NULL,
    class_probability real NOT NULL,
    group_id text NOT NULL,
    group_probability real NOT NULL,
    first_camera text NOT NULL,
    looked text[] NOT NULL,
    landmark boolean NOT NULL,
    class_posterior jsonb NOT NULL,
    cause_posterior jsonb NOT NULL,
    FOREIGN KEY (line_id, coil_id) REFERENCES millsight.coil_records
);
CREATE INDEX defects_coil ON millsight.defects (line_id, coil_id, position_m);
CREATE INDEX defects_seen_at ON millsight.defects (seen_at);
COMMENT ON TABLE millsight.defects IS 'Registered defects: one physical defect, however many cameras saw it';
COMMENT ON COLUMN millsight.defects.seen_at IS 'Capture time of its first sighting (device clock)';
COMMENT ON COLUMN millsight.defects.position_m IS
    'Best estimate of its place along the strip, metres, on the scale of the line''s first camera';
COMMENT ON COLUMN millsight.defects.position_sd_m IS 'How well that place is known: half the width all sightings share';
COMMENT ON COLUMN millsight.defects.defect_class IS 'Most probable class if it is a defect';
COMMENT ON COLUMN millsight.defects.group_id IS 'Most probable cause: a machine group, or ''none'': false alarm';
COMMENT ON COLUMN millsight.defects.group_probability IS 'Posterior of group_id, 0 to 1';
COMMENT ON COLUMN millsight.defects.looked IS
    'Cameras that looked there and saw nothing, in strip order. A camera in neither list did not look';
COMMENT ON COLUMN millsight.defects.landmark IS 'A mark of a coil change: an event, never a machine''s fault';
COMMENT ON COLUMN millsight.defects.class_posterior IS 'Class to probability';
COMMENT ON COLUMN millsight.defects.cause_posterior IS 'Machine group (or ''none'') to probability; sums to 1';

CREATE TABLE millsight.defect_sightings (
    defect_id uuid NOT NULL REFERENCES millsight.defects ON DELETE CASCADE,
    ordinal integer NOT NULL,
    camera_id text NOT NULL,
    frame_id text NOT NULL,
    defect_class text NOT NULL,
    confidence real NOT NULL,
    captured_at timestamptz NOT NULL,
    position_m double precision NOT NULL,
    PRIMARY KEY (defect_id, ordinal)
);
COMMENT ON TABLE millsight.defect_sightings IS 'What each camera reported of a registered defect, in strip order';
COMMENT ON COLUMN millsight.defect_sightings.frame_id IS 'The inspection''s frame_id, as text';
COMMENT ON COLUMN millsight.defect_sightings.position_m IS 'Place on the scale of the line''s first camera, metres';

CREATE TABLE millsight.nightly_list (
    line_id text NOT NULL,
    day date NOT NULL,
    group_id text NOT NULL,
    defect_class text NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,
    first_seen double precision NOT NULL,
    expected double precision NOT NULL,
    exposure_m double precision NOT NULL,
    p_value double precision NOT NULL,
    q_value double precision NOT NULL,
    is_listed boolean NOT NULL,
    PRIMARY KEY (line_id, day, group_id, defect_class)
);
COMMENT ON TABLE millsight.nightly_list IS
    'The nightly test of every machine group and class, false discoveries held down (Benjamini-Hochberg)';
COMMENT ON COLUMN millsight.nightly_list.p_value IS 'Exact Poisson mid-p of first_seen or more, given expected';
COMMENT ON COLUMN millsight.nightly_list.q_value IS 'Benjamini-Hochberg adjusted p_value over the list of that night';
COMMENT ON COLUMN millsight.nightly_list.is_listed IS 'Whether q_value is within the promised share of false entries';

CREATE TABLE millsight.monitor_checkpoints (
    line_id text NOT NULL,
    coil_number bigint NOT NULL,
    coil_id text NOT NULL,
    state bytea NOT NULL,
    program_version text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (line_id, coil_number)
);
ALTER TABLE millsight.monitor_checkpoints ALTER COLUMN state SET STORAGE EXTERNAL;
COMMENT ON TABLE millsight.monitor_checkpoints IS
    'State of the process monitor after a coil, from which it goes on after a restart or a late row: the last 50'
    ' coils, and every 50th of the last 500';

CREATE TABLE millsight.monitor_cursor (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    change_no bigint NOT NULL,
    frame_id uuid NOT NULL,
    history_at timestamptz,
    history_frame_id uuid NOT NULL,
    cluster_id text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE millsight.monitor_cursor IS 'Up to where the process monitor has used inspections';
COMMENT ON COLUMN millsight.monitor_cursor.change_no IS 'All rows of smaller transactions are used, and this one''s'
    ' up to frame_id';
COMMENT ON COLUMN millsight.monitor_cursor.history_at IS
    'Capture time up to which rows without change_no are used; NULL: all of them are';
COMMENT ON COLUMN millsight.monitor_cursor.cluster_id IS
    'System identifier of the database cluster that counted change_no; another one: restored from a dump';

CREATE TABLE millsight.topology_versions (
    version_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line_id text NOT NULL,
    valid_from timestamptz,
    document jsonb NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    withdrawn_at timestamptz
);
CREATE UNIQUE INDEX topology_versions_present ON millsight.topology_versions (line_id, valid_from)
    NULLS NOT DISTINCT WHERE withdrawn_at IS NULL;
COMMENT ON TABLE millsight.topology_versions IS
    'Dated versions of every line, as line.yaml told them: a row more only when a line''s document really changed';
COMMENT ON COLUMN millsight.topology_versions.valid_from IS 'From when the line stood like this; NULL: since ever';
COMMENT ON COLUMN millsight.topology_versions.document IS 'The line: machines with rolls, and cameras, in strip order';
COMMENT ON COLUMN millsight.topology_versions.withdrawn_at IS
    'When line.yaml began to tell this version differently, or no more; NULL: it tells it so now';
