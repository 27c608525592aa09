"""The page's whole state is its address: profile and answers, nothing is kept on the server."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from secondpath.plan.form.answers import answered, shown, understood, value_at
from secondpath.plan.form.questions import Question, questions_for
from secondpath.plan.form.read import Reading, read_document
from secondpath.plan.form.shelf import PROFILES, shelf, toml_of

LONGEST_ANSWER = 400


@dataclass(frozen=True, slots=True)
class Field:
    """One question with what the person typed (or the profile's value) and what is wrong with it."""

    question: Question
    said: str
    problem: str


@dataclass(frozen=True, slots=True)
class State:
    """A profile, its fields, and the reading of the resulting plan."""

    profile: str
    fields: tuple[Field, ...]
    answers: dict[str, Any]
    reading: Reading

    @property
    def query(self) -> str:
        """The address that leads here again."""
        return urlencode({"profile": self.profile, **{f.question.path: f.said for f in self.fields}})

    @property
    def problems(self) -> tuple[str, ...]:
        """Every mistake as a sentence, the form's and the plan's."""
        typed = tuple(f"{f.question.path}: expected {f.problem}, got '{f.said}'" for f in self.fields if f.problem)
        return typed + self.reading.problems


def state_of(query: dict[str, str], default_profile: str) -> State:
    """The state in a query; anything unknown is ignored, anything wrong becomes a sentence."""
    profile = query.get("profile", default_profile)
    profile = profile if profile in PROFILES else default_profile
    document = toml_of("profiles", f"{profile}.toml")
    fields, answers = [], {}
    for question in questions_for(profile):
        default = shown(value_at(document, question.path))
        said = query.get(question.path, default)[:LONGEST_ANSWER]
        value, problem = understood(question, said)
        emptied = question.kind == "text" and question.path in query and not said
        if emptied:
            value = ""
        if value is not None and said != default:
            answers[question.path] = value
        fields.append(Field(question, said, problem))
    return State(profile, tuple(fields), answers, read_document(answered(profile, answers), shelf()))
