-- What the engine was told around a change of weight, so that it can be explained and made again (docs/incidents.md).

CREATE TABLE incident (
    number INTEGER PRIMARY KEY,
    wall_us INTEGER NOT NULL UNIQUE,  -- its beginning; a fuller account of the same incident takes the place of the first
    steps INTEGER NOT NULL,
    record BLOB NOT NULL              -- the lines of its file, compressed (zlib, RFC 1950)
) STRICT;

CREATE TABLE explained (
    event INTEGER PRIMARY KEY,        -- the number of a transition
    incident INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
