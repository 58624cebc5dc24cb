-- Flags: degraded states (potential failures) that somebody must look at, cameras that are ill, and alerts about both.

CREATE TABLE millsight.flags (
    flag_id uuid PRIMARY KEY,
    line_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('machine', 'camera')),
    group_id text NOT NULL,
    machine_ids text[] NOT NULL,
    defect_class text,
    severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 4),
    highest_severity smallint NOT NULL CHECK (highest_severity BETWEEN 1 AND 4),
    onset_coil text NOT NULL,
    onset_low_coil text NOT NULL,
    onset_high_coil text NOT NULL,
    onset_position_m double precision,
    onset_at timestamptz NOT NULL,
    alarm_coil text NOT NULL,
    alarm_at timestamptz NOT NULL,
    last_coil text NOT NULL,
    coils_since_onset integer NOT NULL,
    detector text NOT NULL,
    statistic double precision NOT NULL,
    peak double precision NOT NULL,
    threshold double precision NOT NULL,
    arl0_coils double precision NOT NULL,
    defects double precision NOT NULL,
    exposure_m double precision NOT NULL,
    rate_per_km double precision NOT NULL,
    baseline_per_km double precision NOT NULL,
    rate_ratio double precision,
    ratio_low double precision NOT NULL,
    ratio_high double precision NOT NULL,
    probability double precision NOT NULL,
    posterior jsonb NOT NULL,
    runner_up text,
    runner_up_probability double precision NOT NULL,
    member_posterior jsonb NOT NULL,
    period_m double precision,
    matched_rolls text[] NOT NULL,
    trend_per_coil double precision,
    projected_coils double precision[],
    quality_loss double precision,
    quality_loss_m double precision NOT NULL,
    advice text NOT NULL,
    reason text NOT NULL,
    evidence text[] NOT NULL,
    cleared_coil text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);
CREATE UNIQUE INDEX flags_open ON millsight.flags (line_id, group_id, defect_class) NULLS NOT DISTINCT
    WHERE closed_at IS NULL;
CREATE INDEX flags_alarm_at ON millsight.flags (alarm_at DESC);
COMMENT ON TABLE millsight.flags IS
    'Degraded states (potential failures) that somebody must look at; one open flag per line, group and class';
COMMENT ON COLUMN millsight.flags.group_id IS 'Machine group, or ''camera:<camera_id>'' when the camera is to blame';
COMMENT ON COLUMN millsight.flags.defect_class IS 'The class that is too frequent; NULL for a camera';
COMMENT ON COLUMN millsight.flags.severity IS '4 act now, 3 plan this shift, 2 inspect, 1 watch';
COMMENT ON COLUMN millsight.flags.onset_coil IS
    'Coil in which it began, by maximum likelihood; onset_low_coil to onset_high_coil is the 95 % interval';
COMMENT ON COLUMN millsight.flags.onset_position_m IS 'First defect of the excess, metres on the scale of the line';
COMMENT ON COLUMN millsight.flags.alarm_coil IS 'Coil at whose end the statistic passed the threshold';
COMMENT ON COLUMN millsight.flags.statistic IS 'CUSUM at last_coil, nats; peak is the largest so far';
COMMENT ON COLUMN millsight.flags.arl0_coils IS 'Mean coils between false alarms of the whole line, as promised';
COMMENT ON COLUMN millsight.flags.defects IS 'Posterior-weighted count since the onset, over exposure_m metres';
COMMENT ON COLUMN millsight.flags.rate_per_km IS 'Defects per kilometre since the onset; baseline_per_km before';
COMMENT ON COLUMN millsight.flags.rate_ratio IS 'rate_per_km / baseline_per_km, for an inventing camera its false calls over the usual ones; NULL: not what is wrong; ratio_low to ratio_high: 95 % interval';
COMMENT ON COLUMN millsight.flags.probability IS 'Posterior of group_id itself, 0 to 1';
COMMENT ON COLUMN millsight.flags.posterior IS 'Cause to probability: groups, ''camera:...'' and ''none''';
COMMENT ON COLUMN millsight.flags.member_posterior IS
    'Machine to probability within the group, from what the class usually points to: a prior, no camera tells';
COMMENT ON COLUMN millsight.flags.period_m IS 'Spacing of the defects along the strip, metres; NULL: not periodic';
COMMENT ON COLUMN millsight.flags.matched_rolls IS 'Rolls that fit the period, best first; several: ambiguous';
COMMENT ON COLUMN millsight.flags.trend_per_coil IS 'Log-linear slope per coil since the onset; NULL: no trend';
COMMENT ON COLUMN millsight.flags.projected_coils IS 'Coils to the limit: P10, P50, P90; NULL: no trend';
COMMENT ON COLUMN millsight.flags.quality_loss IS 'Money since the onset; NULL: no prices';
COMMENT ON COLUMN millsight.flags.evidence IS 'frame_ids of the clearest sightings, newest first';
COMMENT ON COLUMN millsight.flags.cleared_coil IS 'Coil at which the process was back in control; NULL: it is not';
COMMENT ON COLUMN millsight.flags.closed_at IS 'When its work order was done or rejected; NULL: open';

CREATE TABLE millsight.flag_aliases (
    flag_id uuid PRIMARY KEY,
    used_flag_id uuid NOT NULL REFERENCES millsight.flags
);
COMMENT ON TABLE millsight.flag_aliases IS
    'Alarms that came while a flag of the same cause was open, and the flag that stands for them';

CREATE TABLE millsight.camera_conditions (
    line_id text NOT NULL,
    camera_id text NOT NULL,
    kind text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz,
    reason text NOT NULL,
    flag_id uuid REFERENCES millsight.flags,
    PRIMARY KEY (camera_id, kind, since, line_id)
);
CREATE INDEX camera_conditions_open ON millsight.camera_conditions (camera_id) WHERE until IS NULL;
COMMENT ON TABLE millsight.camera_conditions IS
    'What is wrong with cameras: dirty, black, frozen, defocused, over-exposed, silent';
COMMENT ON COLUMN millsight.camera_conditions.until IS 'When it was over; NULL: it goes on';
COMMENT ON COLUMN millsight.camera_conditions.flag_id IS 'Flag that asks for cleaning or repair; NULL: none';

CREATE TABLE millsight.alert_outbox (
    alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    flag_id uuid REFERENCES millsight.flags,
    kind text NOT NULL,
    severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 4),
    subject text NOT NULL,
    body jsonb NOT NULL,
    happening text NOT NULL UNIQUE
);
CREATE INDEX alert_outbox_created_at ON millsight.alert_outbox (created_at);
COMMENT ON TABLE millsight.alert_outbox IS 'Facts that people are told, written in the transaction of the fact itself';
COMMENT ON COLUMN millsight.alert_outbox.severity IS '4 act now, 3 plan this shift, 2 inspect, 1 watch';
COMMENT ON COLUMN millsight.alert_outbox.body IS
    '{"line_id", "machines", "camera_id", "defect_class", "text", "link", "details"}';
COMMENT ON COLUMN millsight.alert_outbox.happening IS 'Names the fact, so that a repetition adds no second alert';

CREATE TABLE millsight.alert_deliveries (
    alert_id bigint NOT NULL REFERENCES millsight.alert_outbox ON DELETE CASCADE,
    receiver text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'sent', 'suppressed', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    last_error text,
    sent_at timestamptz,
    PRIMARY KEY (alert_id, receiver)
);
CREATE INDEX alert_deliveries_sent ON millsight.alert_deliveries (receiver, sent_at) WHERE state = 'sent';
COMMENT ON TABLE millsight.alert_deliveries IS
    'What became of an alert at each receiver; no row: nothing was tried yet. failed: given up';
COMMENT ON COLUMN millsight.alert_deliveries.attempts IS 'Failed attempts so far';
