"""Durable store-and-forward spool of one camera: a frame is on disk before it is produced, until acknowledged.

Plain append-only segment files, not SQLite. Measured here on a virtual disk (ext4), 1,000 frames of 15 KB and
300 of 200 KB, one thread, old frames removed on the way, group commit of 10 frames (of 1 in brackets):

=====================  =====================  ======================  ====================
store                  15 KB frames/s         200 KB frames/s         bytes written / byte
=====================  =====================  ======================  ====================
segments, fdatasync    10,969 (2,271)         2,983 (1,285)           1.00 to 1.26
SQLite WAL, 4 KB page  6,138 (1,558)          641 (482)               3.1 to 4.2
SQLite WAL, 32 KB page 5,666 (1,323)          1,225 (757)             2.5 to 8.9
=====================  =====================  ======================  ====================

Speed would do either way; wear decides. Ten frames a second of 200 KB are 173 GB a day per camera, which SQLite
writes three times (log, checkpoint, free list) and segments once; and damage to a segment costs its own frames
while damage to a database file costs all. What SQLite would have given for free is small: a record format with
checksums (`records`), files of records (`segments`), a two-slot state page (`ledger`), a scan at start
(`recovery`).

The finished spool, capture and courier in two threads beside a load of 11 on two cores: 2,181 frames/s of 15 KB
and 744 of 200 KB in and out, 1.00 to 1.03 bytes written per byte, `append` 0.07 and 0.28 ms at the median; a
directory with 100,000 waiting frames opens in 0.6 s.

On disk, one directory per camera::

    <spool>/<camera_id>/ledger             session, sequence, counters; 2 slots of 512 bytes, written in place
    <spool>/<camera_id>/0000000007.segment header + records, oldest file first
    <spool>/<camera_id>/damaged/           bytes that failed their checksum, set aside for a look
"""
