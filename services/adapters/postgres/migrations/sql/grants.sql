-- All privileges, in one place; run after every migration, so that they never drift from this file.
REVOKE ALL ON SCHEMA millsight FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA millsight FROM PUBLIC, millsight_classifier, millsight_monitor, millsight_planner,
    millsight_dashboard, millsight_reports;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA millsight FROM PUBLIC, millsight_classifier, millsight_monitor, millsight_planner,
    millsight_dashboard, millsight_reports;
GRANT USAGE ON SCHEMA millsight TO millsight_classifier, millsight_monitor, millsight_planner, millsight_dashboard,
    millsight_reports;

-- The writer adds rows and reads keys. It cannot change, remove or read back results.
GRANT INSERT ON millsight.inspections, millsight.inspection_images, millsight.rejected_frames,
    millsight.model_versions TO millsight_classifier;
GRANT SELECT (frame_id, model_name, model_version, captured_at) ON millsight.inspections TO millsight_classifier;
GRANT SELECT (frame_id) ON millsight.rejected_frames TO millsight_classifier;
GRANT SELECT (name, version, sha256) ON millsight.model_versions TO millsight_classifier;
GRANT SELECT ON millsight.alembic_version TO millsight_classifier, millsight_monitor;
GRANT EXECUTE ON FUNCTION millsight.note_cameras, millsight.note_coils, millsight.note_camera_status,
    millsight.ensure_partitions, millsight.apply_retention, millsight.take_second_looks, millsight.finish_second_look
    TO millsight_classifier;

-- Readers read. Process monitor and planner read what readers read.
GRANT SELECT ON millsight.lines, millsight.machines, millsight.cameras, millsight.coils, millsight.model_versions,
    millsight.inspections, millsight.inspection_images, millsight.rejected_frames, millsight.camera_sessions,
    millsight.camera_status, millsight.retention, millsight.topology_versions, millsight.machine_groups,
    millsight.coil_records, millsight.camera_exposures, millsight.stream_points, millsight.landmark_events,
    millsight.defects, millsight.defect_sightings, millsight.nightly_list, millsight.flags, millsight.flag_aliases,
    millsight.camera_conditions, millsight.work_orders, millsight.work_order_events, millsight.alert_outbox,
    millsight.alert_deliveries, millsight.sightings_report, millsight.camera_activity, millsight.line_overview,
    millsight.maintenance_report, millsight.machine_health, millsight.machine_repairs, millsight.defect_rate_hourly,
    millsight.coil_report, millsight.containment, millsight.camera_health, millsight.frame_counts,
    millsight.reviews, millsight.review_pictures, millsight.review_answers, millsight.second_looks
    TO millsight_dashboard, millsight_reports, millsight_monitor, millsight_planner;
GRANT EXECUTE ON FUNCTION millsight.maintenance_report, millsight.sightings_report, millsight.counted,
    millsight.wilson_low,
    millsight.wilson_high, millsight.poisson_low, millsight.poisson_high, millsight.health_index,
    millsight.severity_state
    TO millsight_dashboard, millsight_reports, millsight_monitor, millsight_planner;

-- The process monitor writes what it states, and nothing that people decide: flags open and close with their work
-- orders, and work orders change through functions only.
GRANT INSERT, UPDATE, DELETE ON millsight.machine_groups, millsight.camera_exposures, millsight.stream_points,
    millsight.landmark_events, millsight.defects, millsight.defect_sightings, millsight.nightly_list,
    millsight.monitor_checkpoints, millsight.monitor_cursor TO millsight_monitor;
GRANT SELECT ON millsight.monitor_checkpoints, millsight.monitor_cursor TO millsight_monitor;
GRANT INSERT, UPDATE ON millsight.coil_records, millsight.camera_conditions, millsight.alert_deliveries
    TO millsight_monitor;
GRANT INSERT ON millsight.flag_aliases, millsight.alert_outbox TO millsight_monitor;
GRANT INSERT (flag_id, line_id, kind, group_id, machine_ids, defect_class, severity, highest_severity, onset_coil,
    onset_low_coil, onset_high_coil, onset_position_m, onset_at, alarm_coil, alarm_at, last_coil, coils_since_onset,
    detector, statistic, peak, threshold, arl0_coils, defects, exposure_m, rate_per_km, baseline_per_km, rate_ratio,
    ratio_low, ratio_high, probability, posterior, runner_up, runner_up_probability, member_posterior, period_m,
    matched_rolls, trend_per_coil, projected_coils, quality_loss, quality_loss_m, advice, reason, evidence, cleared_coil)
    ON millsight.flags TO millsight_monitor;
GRANT UPDATE (severity, highest_severity, onset_coil, onset_low_coil, onset_high_coil, onset_position_m, onset_at,
    alarm_coil, alarm_at, last_coil, coils_since_onset, detector, statistic, peak, threshold, arl0_coils, defects,
    exposure_m, rate_per_km, baseline_per_km, rate_ratio, ratio_low, ratio_high, probability, posterior, runner_up,
    runner_up_probability, member_posterior, period_m, matched_rolls, trend_per_coil, projected_coils, quality_loss,
    quality_loss_m, advice, reason, evidence, cleared_coil, updated_at)
    ON millsight.flags TO millsight_monitor;
GRANT EXECUTE ON FUNCTION millsight.record_repair, millsight.cluster_id TO millsight_monitor;

-- The planner moves work orders on, one step at a time, and passes on what people see in frames.
GRANT EXECUTE ON FUNCTION millsight.work_order_step, millsight.review_frame, millsight.ask_second_look
    TO millsight_planner;
