"""Room: plan/form. The paper side of the inputs: files to a Plan, questions to a file, and nothing else.

In: plan.toml, the data files in plan/data, a person at a terminal, records as JSON lines.
Out: inputs.Plan, inputs.Shelf, learn.Record; a commented plan.toml; sentences about what is wrong, all at once.
Files: shelf (data files), table (checked reading of TOML), read (plan.toml), workplace (its people), lines (its
    connections), questions, ask (interview), answers (new), office (connections from office.toml), records (JSON
    lines), events (the gateway's own, as records), spelling (amounts in the planner's measures).
Never: compute a result; guess silently; raise at a user.
"""
