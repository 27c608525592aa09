"""Room: plan/paper. A study as something to read: tables, JSON, charts, HTML, PDF, notice, runbook, checklist.

In: study.Study, inputs.Plan, evidence.Evidence.
Out: text, HTML, SVG, PDF and CSV, all with ranges, tags and the line that says what they are not.
Files: tables and sizes (rows), words (names of inputs), answer (the first page's sentences), record (JSON, CSV),
    terminal, charts (SVG), document (the review as data), review (HTML and PDF), leaflet, notice, runbook, checklist,
    calendar (dated deadlines); templates/ and fonts/ (Lato, OFL).
Never: compute a result; print a number alone; put user text into markup without escaping it.
"""
