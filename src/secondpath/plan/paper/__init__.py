"""Room: plan/paper. A study as something to read: tables, JSON, charts, HTML, PDF, notice, runbook, checklist.

In: study.Study, inputs.Plan, evidence.Evidence.
Out: text, HTML, SVG, PDF and CSV, all with ranges, tags and the line that says what they are not.
Files: tables (words and rows), record (JSON and CSV), answer (the first page's sentences), charts (SVG), html, pdf,
    notice, runbook, checklist, calendar (dated deadlines).
Never: compute a result; print a number alone; put user text into markup without escaping it.
"""
