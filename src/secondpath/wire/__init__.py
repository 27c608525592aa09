"""The room of shapes: what travels over the control socket, as JSON.

In:    what the daemon knows (`snapshot.Snapshot`) and the words for it (`snapshot.Texts`, found by tell).
Out:   `status.status_json`, the document of `status --json`; `messages`: requests and responses, one line each.
Files: messages (verbs, and what each may be given) · snapshot · status (documents of status and events) ·
       schema/status.json (JSON Schema of the document).
Never: opens a socket, finds words, or takes a verb that is not in the list.
"""
