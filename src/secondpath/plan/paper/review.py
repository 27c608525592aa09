"""The review and the leaflets as files: one self-contained HTML, one PDF/UA-1, figures as JSON, inputs as CSV."""

import json
from importlib import resources
from typing import Any

import jinja2

from secondpath.plan.evidence import Evidence
from secondpath.plan.explain import figures_of
from secondpath.plan.inputs import Shelf
from secondpath.plan.paper.charts import charts_of
from secondpath.plan.paper.document import document_of, figures_document
from secondpath.plan.paper.leaflet import Leaflet, leaflet_record
from secondpath.plan.paper.record import inputs_csv
from secondpath.plan.study import Study

_HERE = resources.files("secondpath.plan.paper")


def review_files(study: Study, shelf: Shelf, evidence: Evidence) -> dict[str, bytes]:
    """The review's files by name."""
    document = document_of(study, shelf, evidence, charts_of(study))
    return {
        "continuity-review.html": html_of("review.html", document).encode(),
        "continuity-review.pdf": pdf_of("review.typ", document),
        "figures.json": figures_document(study, shelf).encode(),
        "bia.csv": inputs_csv(figures_of(study, shelf)).encode(),
    }


def leaflet_file(paper: Leaflet, suffix: str) -> bytes:
    """A leaflet as .html or .pdf."""
    record = leaflet_record(paper)
    return html_of("leaflet.html", record).encode() if suffix == ".html" else pdf_of("leaflet.typ", record)


def html_of(name: str, document: dict[str, Any]) -> str:
    """A template filled in; everything is escaped except our own charts, which hold no user text as markup."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name).render(**document)


def _template(name: str) -> str:
    return _HERE.joinpath("templates", name).read_text(encoding="utf-8")


def pdf_of(name: str, document: dict[str, Any]) -> bytes:
    """A PDF/UA-1 by typst.

    User text reaches it only as JSON in an input, never as markup; fonts come from our folder.
    """
    import typst

    with (
        resources.as_file(_HERE.joinpath("fonts")) as fonts,
        resources.as_file(_HERE.joinpath("templates", name)) as template,
    ):
        return typst.compile(
            str(template),
            format="pdf",
            font_paths=[str(fonts)],
            ignore_system_fonts=True,
            pdf_standards="ua-1",
            sys_inputs={"document": json.dumps(document)},
        )
