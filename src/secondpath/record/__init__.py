"""The room of memory: one small SQLite file which holds years, the book.

In:    transitions, measurements of lines, small things to be remembered over a restart; every step of the engine.
Out:   events, minutes and incidents to those who read (`query`); what was remembered (`store.Book.recall`).
Files: store (the book and its queue) · ledger (the connection: opening, migrating, writing; the writer's thread only) ·
       query (read-only, by other processes) · rollup (pure: looks at lines become minutes) · tape (the last minutes of
       the engine, from which incidents are cut) · spent (pure: what our questions cost) · allowance (pure: how far a
       plan's data is used) · schema/NNNN.sql.
Never: makes its caller wait for a disk, deletes what it cannot read, stops the daemon, or decides anything.
"""
