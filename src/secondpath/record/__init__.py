"""The room of memory: one small SQLite file which holds years, the book.

In:    transitions, measurements of lines, and small things to be remembered over a restart.
Out:   events and minutes to those who read (`query`); what was remembered (`store.Book.recall`).
Files: store (the book and its queue) · ledger (the connection: opening, migrating, writing; the writer's thread only) ·
       query (read-only, by other processes) · rollup (pure: looks at lines become minutes) · schema/NNNN.sql.
Never: makes its caller wait for a disk, deletes what it cannot read, stops the daemon, or decides anything.
"""
