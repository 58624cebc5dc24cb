-- All privileges, in one place; run after every migration, so that they never drift from this file.
REVOKE ALL ON SCHEMA millsight FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA millsight FROM PUBLIC, millsight_classifier, millsight_dashboard, millsight_reports;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA millsight FROM PUBLIC, millsight_classifier, millsight_dashboard, millsight_reports;
GRANT USAGE ON SCHEMA millsight TO millsight_classifier, millsight_dashboard, millsight_reports;

-- The writer adds rows and reads keys. It cannot change, remove or read back results.
GRANT INSERT ON millsight.inspections, millsight.inspection_images, millsight.rejected_frames,
    millsight.model_versions TO millsight_classifier;
GRANT SELECT (frame_id, model_name, model_version, captured_at) ON millsight.inspections TO millsight_classifier;
GRANT SELECT (frame_id) ON millsight.rejected_frames TO millsight_classifier;
GRANT SELECT (name, version, sha256) ON millsight.model_versions TO millsight_classifier;
GRANT SELECT ON millsight.alembic_version TO millsight_classifier;
GRANT EXECUTE ON FUNCTION millsight.note_cameras, millsight.note_coils, millsight.note_camera_status,
    millsight.ensure_partitions, millsight.apply_retention TO millsight_classifier;

-- Readers read.
GRANT SELECT ON millsight.lines, millsight.machines, millsight.cameras, millsight.coils, millsight.model_versions,
    millsight.inspections, millsight.inspection_images, millsight.rejected_frames, millsight.camera_sessions,
    millsight.camera_status, millsight.maintenance_report, millsight.camera_activity, millsight.line_overview,
    millsight.retention
    TO millsight_dashboard, millsight_reports;
GRANT EXECUTE ON FUNCTION millsight.maintenance_report, millsight.wilson_low, millsight.wilson_high
    TO millsight_dashboard, millsight_reports;
