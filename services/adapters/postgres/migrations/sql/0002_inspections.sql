-- Columns that let a reader follow new rows, and image measures. No default at first: nothing is rewritten.
ALTER TABLE millsight.inspections
    ADD COLUMN change_no bigint,
    ADD COLUMN spot_x real,
    ADD COLUMN spot_y real,
    ADD COLUMN brightness real,
    ADD COLUMN saturated real,
    ADD COLUMN sharpness real,
    ADD COLUMN picture_hash bigint;

-- Rows that are here already keep NULL; every new row carries the number of the transaction that stored it.
-- Transaction numbers are given at the first write and only grow, but transactions end in any order: number 8 may be
-- committed while 7 is still open. A reader that remembered "seen up to 8" would never see 7. It therefore reads
--     change_no > cursor AND change_no < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
-- below the oldest transaction that is still open: all below has ended and can no longer change.
ALTER TABLE millsight.inspections ALTER COLUMN change_no SET DEFAULT pg_current_xact_id()::text::bigint;
CREATE INDEX inspections_change ON millsight.inspections (change_no, frame_id) WHERE change_no IS NOT NULL;

COMMENT ON COLUMN millsight.inspections.change_no IS
    'Number of the transaction that stored the row; the process monitor follows it. NULL: stored before there were'
    ' numbers, or before the database was restored from a dump';
COMMENT ON COLUMN millsight.inspections.spot_x IS
    'Where the evidence for defect_class peaks, share of the image''s width from the left, 0 to 1; NULL: unknown';
COMMENT ON COLUMN millsight.inspections.spot_y IS
    'Where the evidence for defect_class peaks, share of the image''s height from the top, 0 to 1; NULL: unknown';
COMMENT ON COLUMN millsight.inspections.brightness IS 'Mean grey value of the image, 0 black to 1 white; NULL: unknown';
COMMENT ON COLUMN millsight.inspections.saturated IS 'Share of pixels with a grey value of 250 or more of 255';
COMMENT ON COLUMN millsight.inspections.sharpness IS
    'Variance of the image''s Laplacian; low: defocused or empty. Compare within one camera only';
COMMENT ON COLUMN millsight.inspections.picture_hash IS
    'Checksum of the pixels that the model saw, 64 bits; the same number frame after frame: the picture is frozen';
