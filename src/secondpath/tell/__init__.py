"""The room of mouths: what the box knows, in words for people.

In:    a Snapshot, transitions, the book (read-only).
Out:   sentences: `words` (reason, verdict_text, event_text, override_text, advice), `status.texts_of` (all the words
       of one snapshot).
Files: words · catalogue (the only place where sentences stand) · status · allowance · account (a decision explained) ·
       path (the sentence that an examination ends with) · figures (numbers as people read them).
Never: judges or decides, changes anything, or imports act, sense, judge, decide, engine.
"""
