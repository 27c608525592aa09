"""The room of mouths: what the box knows, in words for people.

In:    a Snapshot, transitions, the book (read-only).
Out:   sentences: `words` (reason, verdict_text, event_text, override_text, advice), `status.texts_of` (all the words
       of one snapshot).
Files: words (the catalogue, and the only place where sentences stand) · status · figures (numbers as people read
       them) · path (the sentence that an examination ends with).
Never: judges or decides, changes anything, or imports act, sense, judge, decide, engine.
"""
