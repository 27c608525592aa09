"""Room: plan/page. The interview as a page on this computer: answers in the address, results as one types.

In: a query string of answers.
Out: HTML that works without JavaScript, data for the curve, plan.toml, the review.
Files: state (query to answers), results (answers to tables and curve), sketch (the curve without JavaScript),
    app (routes), serve (loopback server); templates/, static/ (htmx and uPlot as published, with their licences).
Never: listen beyond loopback; load anything from elsewhere; keep a person's answers on the server.
"""
