"""The room of shapes: what travels over the control socket, as JSON.

In:    what the daemon knows (`snapshot.Snapshot`) and the words for it (`snapshot.Texts`, found by tell).
Out:   `status.status_json`, the document of `status --json`; `messages`: requests and responses, one line each;
       `incident`: the file of an incident.
Files: messages (verbs, and what each may be given) · snapshot · status (documents of status and events) ·
       graph (objects as JSON and back, exactly) · incident · account (the chain of a decision, documents of why and
       replay) · schema/NAME.json (JSON Schema of the documents of status, why and replay).
Never: opens a socket, finds words, or takes a verb that is not in the list.
"""
