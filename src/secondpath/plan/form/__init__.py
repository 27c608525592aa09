"""Room: plan/form. The paper side of the inputs: files to a Plan, questions to a file, and nothing else.

In: plan.toml, the data files in plan/data, a person at a terminal, records as JSON lines.
Out: inputs.Plan, inputs.Shelf, learn.Record; a commented plan.toml; sentences about what is wrong, all at once.
Files: shelf (data files), table (checked reading of TOML), read (plan.toml), profile (new), ask (interview),
    records (JSON lines), spelling (nearest name, units).
Never: compute a result; guess silently; raise at a user.
"""
