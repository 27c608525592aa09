"""The room of shapes: what travels over the control socket, as JSON.

In:    what the daemon knows (`snapshot.Snapshot`) and the words for it (`snapshot.Texts`, found by tell).
Out:   `status.status_json`, the document of `status --json`; `path.path_json`; `messages`: requests and
       responses, one line each.
Files: messages (verbs, and what each may be given) · snapshot · status (documents of status and events) · path (the
       document of check-path) · schema/status.json, schema/check-path.json (JSON Schemas of the documents).
Never: opens a socket, finds words, or takes a verb that is not in the list.
"""
