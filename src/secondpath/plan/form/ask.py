"""The interview in the terminal: one question at a time, the profile's value as the default, nothing lost on a typo."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from secondpath.plan.form.answers import shown, understood, value_at
from secondpath.plan.form.questions import questions_for
from secondpath.plan.form.shelf import toml_of


def interview(
    profile: str,
    read: Callable[[str], str],
    tell: Callable[[str], None],
    known: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Ask everything and return the answers by path; an end of input ends the interview with what was said so far.

    `known`: values that stand in brackets instead of the profile's.
    """
    document, answers, group = toml_of("profiles", f"{profile}.toml"), {}, ""
    tell(
        "Press Enter to keep the value in brackets. Three numbers are low, likely and high: bet on them nine times of"
        " ten."
    )
    for question in questions_for(profile):
        if question.group != group:
            group = question.group
            tell(f"\n{group}")
        try:
            default = known.get(question.path, value_at(document, question.path))
            value = _one(question.words, question, shown(default), read, tell)
        except EOFError:
            tell("\nThe interview ends here; what is missing stays as the profile has it.")
            break
        if value is not None:
            answers[question.path] = value
    return answers


def _one(words: str, question: Any, default: str, read: Callable[[str], str], tell: Callable[[str], None]) -> Any:
    hint = f" ({question.hint})" if question.hint else ""
    among = f" ({', '.join(question.among)})" if question.among else ""
    while True:
        value, expected = understood(question, read(f"  {words}{hint}{among} [{default}] "))
        if not expected:
            return value
        tell(f"  Expected {expected}.")
