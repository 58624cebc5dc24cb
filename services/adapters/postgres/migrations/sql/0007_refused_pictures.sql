-- What could be seen of a refused message, for people who look at dead letters.
ALTER TABLE millsight.rejected_frames ADD COLUMN picture bytea CHECK (octet_length(picture) <= 262144);
COMMENT ON COLUMN millsight.rejected_frames.picture IS
    'Small JPEG of what a forgiving decoder made of the message; NULL when nothing could be seen';
