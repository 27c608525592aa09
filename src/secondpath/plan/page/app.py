"""The routes of the planner's page. All of them read; nothing is stored, so there is nothing to forge."""

from importlib import resources
from typing import Any

import jinja2
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from secondpath.plan.evidence import Evidence
from secondpath.plan.form.answers import plan_text
from secondpath.plan.form.shelf import PROFILES, shelf
from secondpath.plan.page.results import results_of
from secondpath.plan.page.state import State, state_of
from secondpath.plan.study import study_of

HOSTS = ["127.0.0.1", "localhost", "[::1]", "::1"]
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_HERE = resources.files("secondpath.plan.page")
_STATIC = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "htmx.min.js": "text/javascript",
    "uPlot.iife.min.js": "text/javascript",
    "uPlot.min.css": "text/css",
}
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FunctionLoader(lambda name: _HERE.joinpath("templates", name).read_text(encoding="utf-8")),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def page_app(profile: str) -> Starlette:
    """The application; `profile` is what an address without one shows."""

    def state(request: Request) -> State:
        return state_of(dict(request.query_params), profile)

    def page(request: Request) -> Response:
        found = state(request)
        return _html("page.html", {"state": found, "profiles": PROFILES, **results_of(found)}, found)

    def results(request: Request) -> Response:
        found = state(request)
        answer = _html("results.html", {"state": found, **results_of(found)}, found)
        answer.headers["HX-Replace-Url"] = f"/?{found.query}"
        return answer

    def plan_file(request: Request) -> Response:
        found = state(request)
        text = plan_text(found.profile, found.answers)
        return PlainTextResponse(text, headers={**HEADERS, "Content-Disposition": 'attachment; filename="plan.toml"'})

    async def review(request: Request) -> Response:
        return await run_in_threadpool(_review, state(request), request.path_params["kind"])

    routes = [
        Route("/", page),
        Route("/results", results),
        Route("/plan.toml", plan_file),
        Route("/review.{kind}", review),
        Route("/static/{name}", _static),
        Route("/healthz", lambda _: JSONResponse({"ok": True, "reason": "serving"}, headers=HEADERS)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)])


def _html(name: str, context: dict[str, Any], state: State) -> HTMLResponse:
    code = 422 if state.problems and name == "page.html" else 200
    return HTMLResponse(_TEMPLATES.get_template(name).render(**context), status_code=code, headers=HEADERS)


def _review(state: State, kind: str) -> Response:
    """The four-page paper of what is on the page; back to the page if the plan has mistakes."""
    from secondpath.plan.paper.review import review_files

    plan = state.reading.plan
    if plan is None or state.problems:
        return RedirectResponse(f"/?{state.query}", headers=HEADERS)
    if kind not in ("html", "pdf"):
        return PlainTextResponse("expected review.html or review.pdf", status_code=404, headers=HEADERS)
    files = review_files(study_of(plan, shelf()), shelf(), Evidence())
    media = {"html": "text/html", "pdf": "application/pdf"}[kind]
    # The paper brings its style and drawings inside itself, so its policy must allow inline style; scripts stay out.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    headers = {**HEADERS, "Content-Security-Policy": policy}
    return Response(files[f"continuity-review.{kind}"], media_type=media, headers=headers)


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        return PlainTextResponse("not here", status_code=404, headers=HEADERS)
    headers = {**HEADERS, "Cache-Control": "max-age=3600"}
    return Response(_HERE.joinpath("static", name).read_bytes(), media_type=_STATIC[name], headers=headers)
