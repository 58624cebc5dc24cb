-- Work orders, one per flag, with the fields of plant maintenance. Only functions change them.

CREATE TABLE millsight.work_orders (
    work_order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work_order_no text NOT NULL UNIQUE GENERATED ALWAYS AS
        ('WO-' || lpad(work_order_id::text, greatest(6, length(work_order_id::text)), '0')) STORED,
    flag_id uuid NOT NULL UNIQUE REFERENCES millsight.flags,
    type text NOT NULL DEFAULT 'condition-based',
    line_id text NOT NULL,
    group_id text NOT NULL,
    machine_ids text[] NOT NULL,
    priority smallint NOT NULL CHECK (priority BETWEEN 1 AND 4),
    damage_code text,
    cause_code text,
    state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'acknowledged', 'in_progress', 'done', 'rejected')),
    feedback text CHECK (feedback IN ('verified', 'no_change')),
    malfunction_start timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    required_by timestamptz NOT NULL,
    assigned_to text,
    acknowledged_at timestamptz,
    acknowledged_by text,
    started_at timestamptz,
    started_by text,
    finished_at timestamptz,
    finished_by text,
    CHECK (feedback IS NULL OR state = 'done'),
    CHECK ((finished_at IS NOT NULL) = (state IN ('done', 'rejected')))
);
CREATE INDEX work_orders_finished_at ON millsight.work_orders (finished_at) WHERE state = 'done';
COMMENT ON TABLE millsight.work_orders IS
    'One work order per flag, made with it; states new, acknowledged, in_progress, done or rejected';
COMMENT ON COLUMN millsight.work_orders.line_id IS 'Functional location';
COMMENT ON COLUMN millsight.work_orders.group_id IS 'Equipment: machine group, or ''camera:<camera_id>''';
COMMENT ON COLUMN millsight.work_orders.machine_ids IS 'Equipment: machines of the group in strip order';
COMMENT ON COLUMN millsight.work_orders.priority IS
    '1 to 4 as in plant maintenance, 1 first: 5 - severity of the flag; it rises with the flag and never falls';
COMMENT ON COLUMN millsight.work_orders.damage_code IS 'Defect class; NULL for a camera';
COMMENT ON COLUMN millsight.work_orders.cause_code IS 'What was found to be the cause, or why it was rejected';
COMMENT ON COLUMN millsight.work_orders.feedback IS
    'Whether the repair worked: ''verified'' or ''no_change''; NULL: not known yet';
COMMENT ON COLUMN millsight.work_orders.malfunction_start IS 'Onset of the degraded state';
COMMENT ON COLUMN millsight.work_orders.required_by IS
    'By severity of the flag: 4 within an hour, 3 within 8 hours, 2 within 3 days, 1 within 14 days';
COMMENT ON COLUMN millsight.work_orders.finished_at IS 'When it was done or rejected';

CREATE TABLE millsight.work_order_events (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work_order_id bigint NOT NULL REFERENCES millsight.work_orders,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL CHECK (length(who) BETWEEN 1 AND 200),
    role text NOT NULL DEFAULT session_user,
    step text NOT NULL,
    from_state text,
    to_state text NOT NULL,
    comment text CHECK (length(comment) <= 4000)
);
CREATE INDEX work_order_events_order ON millsight.work_order_events (work_order_id, event_id);
COMMENT ON TABLE millsight.work_order_events IS 'Who did what to a work order and when; rows are only ever added';
COMMENT ON COLUMN millsight.work_order_events.who IS 'Name the person gave';
COMMENT ON COLUMN millsight.work_order_events.role IS 'Database role the step came through';

CREATE FUNCTION millsight.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'table % is an audit trail: rows are only ever added', TG_TABLE_NAME USING ERRCODE = '42501';
END $$;
CREATE TRIGGER work_order_events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON millsight.work_order_events
    FOR EACH STATEMENT EXECUTE FUNCTION millsight.refuse_change();

CREATE FUNCTION millsight.time_allowed(severity integer) RETURNS interval LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE severity WHEN 4 THEN interval '1 hour' WHEN 3 THEN interval '8 hours' WHEN 2 THEN interval '3 days'
    ELSE interval '14 days' END;

CREATE FUNCTION millsight.follow_flag() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ordered millsight.work_orders;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO millsight.work_orders (flag_id, line_id, group_id, machine_ids, priority, damage_code,
            malfunction_start, required_by)
        VALUES (NEW.flag_id, NEW.line_id, NEW.group_id, NEW.machine_ids, 5 - NEW.severity, NEW.defect_class,
            NEW.onset_at, now() + millsight.time_allowed(NEW.severity))
        RETURNING * INTO ordered;
        INSERT INTO millsight.work_order_events (work_order_id, who, step, to_state, comment)
        VALUES (ordered.work_order_id, 'process monitor', 'create', 'new', left(NEW.reason, 4000));
        RETURN NULL;
    END IF;
    UPDATE millsight.work_orders
    SET priority = 5 - NEW.severity, required_by = least(required_by, now() + millsight.time_allowed(NEW.severity))
    WHERE flag_id = NEW.flag_id AND finished_at IS NULL AND priority > 5 - NEW.severity
    RETURNING * INTO ordered;
    IF FOUND THEN
        INSERT INTO millsight.work_order_events (work_order_id, who, step, from_state, to_state, comment)
        VALUES (ordered.work_order_id, 'process monitor', 'raise_priority', ordered.state, ordered.state,
            'priority ' || ordered.priority);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER flags_make_work_orders AFTER INSERT OR UPDATE OF severity ON millsight.flags
    FOR EACH ROW EXECUTE FUNCTION millsight.follow_flag();

CREATE FUNCTION millsight.work_order_step(
    order_no text, step text, who text, comment text DEFAULT NULL, feedback text DEFAULT NULL,
    cause_code text DEFAULT NULL, assigned_to text DEFAULT NULL
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    found_order millsight.work_orders;
    allowed text[] := CASE work_order_step.step
        WHEN 'acknowledge' THEN '{new}' WHEN 'start' THEN '{acknowledged}' WHEN 'done' THEN '{in_progress}'
        WHEN 'reject' THEN '{new,acknowledged,in_progress}' WHEN 'assign' THEN '{new,acknowledged,in_progress}'
        WHEN 'feedback' THEN '{done}' END;
    next_state text := CASE work_order_step.step
        WHEN 'acknowledge' THEN 'acknowledged' WHEN 'start' THEN 'in_progress' WHEN 'done' THEN 'done'
        WHEN 'reject' THEN 'rejected' END;
    person text := left(nullif(btrim(work_order_step.who), ''), 200);
    problem text;
BEGIN
    SELECT * INTO found_order FROM millsight.work_orders WHERE work_order_no = work_order_step.order_no FOR UPDATE;
    problem := CASE
        WHEN allowed IS NULL THEN format('there is no step %L: the steps are acknowledge, start, done, reject, assign,'
            ' feedback', work_order_step.step)
        WHEN found_order.work_order_id IS NULL THEN format('there is no work order %L', work_order_step.order_no)
        WHEN person IS NULL THEN 'say who does this'
        WHEN found_order.state <> ALL (allowed) THEN format('work order %s is %s: step %s needs it to be %s',
            work_order_step.order_no, found_order.state, work_order_step.step, array_to_string(allowed, ' or '))
        WHEN work_order_step.step = 'reject' AND nullif(btrim(work_order_step.cause_code), '') IS NULL
            THEN 'say why the work order is rejected'
        WHEN work_order_step.step = 'assign' AND nullif(btrim(work_order_step.assigned_to), '') IS NULL
            THEN 'say to whom the work order is assigned'
        WHEN work_order_step.step = 'feedback' AND work_order_step.feedback IS NULL
            THEN 'say whether the repair worked: feedback verified or no_change'
        WHEN work_order_step.feedback IS NOT NULL AND work_order_step.step NOT IN ('done', 'feedback')
            THEN 'feedback belongs to the steps done and feedback'
        WHEN work_order_step.feedback NOT IN ('verified', 'no_change')
            THEN format('feedback is verified or no_change, not %L', work_order_step.feedback)
        WHEN length(work_order_step.comment) > 4000 THEN 'a comment has at most 4000 characters'
        END;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = problem, ERRCODE = '22023';
    END IF;
    next_state := coalesce(next_state, found_order.state);
    UPDATE millsight.work_orders SET
        state = next_state,
        feedback = coalesce(work_order_step.feedback, feedback),
        cause_code = coalesce(left(nullif(btrim(work_order_step.cause_code), ''), 200), cause_code),
        assigned_to = coalesce(left(nullif(btrim(work_order_step.assigned_to), ''), 200), assigned_to),
        acknowledged_at = CASE step WHEN 'acknowledge' THEN now() ELSE acknowledged_at END,
        acknowledged_by = CASE step WHEN 'acknowledge' THEN person ELSE acknowledged_by END,
        started_at = CASE step WHEN 'start' THEN now() ELSE started_at END,
        started_by = CASE step WHEN 'start' THEN person ELSE started_by END,
        finished_at = CASE WHEN step IN ('done', 'reject') THEN now() ELSE finished_at END,
        finished_by = CASE WHEN step IN ('done', 'reject') THEN person ELSE finished_by END
    WHERE work_order_id = found_order.work_order_id;
    INSERT INTO millsight.work_order_events (work_order_id, who, step, from_state, to_state, comment)
    VALUES (found_order.work_order_id, person, work_order_step.step, found_order.state, next_state,
        concat_ws('; ', work_order_step.feedback, nullif(btrim(work_order_step.cause_code), ''),
            'assigned to ' || nullif(btrim(work_order_step.assigned_to), ''), nullif(btrim(work_order_step.comment), '')));
    UPDATE millsight.flags SET closed_at = now(), updated_at = now()
    WHERE flag_id = found_order.flag_id AND next_state IN ('done', 'rejected') AND closed_at IS NULL;
    RETURN next_state;
END $$;
COMMENT ON FUNCTION millsight.work_order_step IS
    'The only way to change a work order: acknowledge, start, done, reject (with cause_code), assign, feedback;'
    ' refuses a step out of order with SQLSTATE 22023 and returns the new state';

CREATE FUNCTION millsight.record_repair(order_no text, feedback text, comment text) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM millsight.work_orders o
    WHERE o.work_order_no = record_repair.order_no AND o.state = 'done' AND o.feedback IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM millsight.work_order_step(record_repair.order_no, 'feedback', 'process monitor', record_repair.comment,
        record_repair.feedback);
    RETURN true;
END $$;
COMMENT ON FUNCTION millsight.record_repair IS
    'For the process monitor: says whether a repair worked, unless somebody said so already (then false)';
