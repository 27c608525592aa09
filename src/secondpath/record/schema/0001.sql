-- The gateway's own book is about one site, so no key begins with a site here; numbers are given by the writer, not by
-- a sequence, and `epoch` in memory names this file. A hub that gathers many books keys the same rows by
-- (site_id, epoch, number) and (site_id, uplink, family, minute) without changing them.

CREATE TABLE transition (
    number INTEGER PRIMARY KEY,
    wall_us INTEGER NOT NULL,         -- microseconds since 1970, UTC, by the clock as it was
    at_s REAL NOT NULL,               -- monotonic: orders what a wrong clock confuses, within one boot
    event TEXT NOT NULL,              -- the stable name: line.down, steering.failover, …
    subject TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL              -- a JSON object
) STRICT;
CREATE INDEX transition_wall ON transition (wall_us);

CREATE TABLE memory (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE minute (
    uplink TEXT NOT NULL,
    family TEXT NOT NULL,
    minute INTEGER NOT NULL,          -- minutes since 1970, UTC
    looks INTEGER NOT NULL,           -- how often the line was looked at; the ratios below are shares of these
    down_ratio REAL NOT NULL,
    degraded_ratio REAL NOT NULL,
    unknown_ratio REAL NOT NULL,
    loss_ratio REAL NOT NULL,         -- mean
    loss_worst_ratio REAL NOT NULL,
    rtt_s REAL,                       -- mean
    rtt_worst_s REAL,
    jitter_s REAL,                    -- mean
    PRIMARY KEY (uplink, family, minute)
) STRICT, WITHOUT ROWID;
