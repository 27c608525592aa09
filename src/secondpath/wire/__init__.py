"""The room of shapes: what travels over the control socket, as JSON.

In:    what the daemon knows (`snapshot.Snapshot`) and the words for it (`snapshot.Texts`, found by tell).
Out:   `status.status_json`, the document of `status --json`; `path.path_json`; `messages`: requests and responses,
       one line each; `incident`: the file of an incident.
Files: messages (verbs, and what each may be given) · snapshot · status (documents of status and events) ·
       path (the document of check-path) · graph (objects as JSON and back, exactly) · incident · account (the chain
       of a decision, documents of why and replay) · schema/NAME.json (JSON Schema of each document).
Never: opens a socket, finds words, or takes a verb that is not in the list.
"""
