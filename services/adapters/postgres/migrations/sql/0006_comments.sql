-- A remark on a work order without moving it on, also after it is closed: the step comment.
CREATE OR REPLACE FUNCTION millsight.work_order_step(
    order_no text, step text, who text, comment text DEFAULT NULL, feedback text DEFAULT NULL,
    cause_code text DEFAULT NULL, assigned_to text DEFAULT NULL
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    found_order millsight.work_orders;
    allowed text[] := CASE work_order_step.step
        WHEN 'acknowledge' THEN '{new}' WHEN 'start' THEN '{acknowledged}' WHEN 'done' THEN '{in_progress}'
        WHEN 'reject' THEN '{new,acknowledged,in_progress}' WHEN 'assign' THEN '{new,acknowledged,in_progress}'
        WHEN 'feedback' THEN '{done}'
        WHEN 'comment' THEN '{new,acknowledged,in_progress,done,rejected}' END;
    next_state text := CASE work_order_step.step
        WHEN 'acknowledge' THEN 'acknowledged' WHEN 'start' THEN 'in_progress' WHEN 'done' THEN 'done'
        WHEN 'reject' THEN 'rejected' END;
    person text := left(nullif(btrim(work_order_step.who), ''), 200);
    problem text;
BEGIN
    SELECT * INTO found_order FROM millsight.work_orders WHERE work_order_no = work_order_step.order_no FOR UPDATE;
    problem := CASE
        WHEN allowed IS NULL THEN format('there is no step %L: the steps are acknowledge, start, done, reject, assign,'
            ' comment, feedback', work_order_step.step)
        WHEN found_order.work_order_id IS NULL THEN format('there is no work order %L', work_order_step.order_no)
        WHEN person IS NULL THEN 'say who does this'
        WHEN found_order.state <> ALL (allowed) THEN format('work order %s is %s: step %s needs it to be %s',
            work_order_step.order_no, found_order.state, work_order_step.step, array_to_string(allowed, ' or '))
        WHEN work_order_step.step = 'reject' AND nullif(btrim(work_order_step.cause_code), '') IS NULL
            THEN 'say why the work order is rejected'
        WHEN work_order_step.step = 'assign' AND nullif(btrim(work_order_step.assigned_to), '') IS NULL
            THEN 'say to whom the work order is assigned'
        WHEN work_order_step.step = 'comment' AND nullif(btrim(work_order_step.comment), '') IS NULL
            THEN 'write the comment'
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
    'The only way to change a work order: acknowledge, start, done, reject (with cause_code), assign, comment,'
    ' feedback;'
    ' refuses a step out of order with SQLSTATE 22023 and returns the new state';
