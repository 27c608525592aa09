"""The page without a browser: state in the address, inert text, a strict policy, loopback only."""

import re
import tomllib
import warnings
from urllib.parse import urlencode

import pytest

from secondpath.plan.form.shelf import PROFILES
from secondpath.plan.page.app import HEADERS, page_app
from secondpath.plan.rounding import DISCLAIMER

pytestmark = pytest.mark.slow

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(page_app("cpa"), base_url="http://127.0.0.1", follow_redirects=False)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_has_a_page_that_works_without_javascript(client: TestClient, profile: str) -> None:
    answer = client.get("/", params={"profile": profile})
    assert answer.status_code == 200
    assert answer.text.count("<table") >= 9
    assert "<svg viewBox" in answer.text
    assert DISCLAIMER in answer.text
    assert '<button class="go">' in answer.text


def test_the_address_is_the_state(client: TestClient) -> None:
    query = {"profile": "cpa", "role.staff.people": "20", "office.name": "Smith & Sons"}
    answer = client.get("/results", params=query)
    again = answer.headers["HX-Replace-Url"]
    assert "role.staff.people=20" in again
    page = client.get(again)
    assert 'value="Smith &amp; Sons"' in page.text
    assert 'value="20"' in page.text


def test_more_people_cost_more(client: TestClient) -> None:
    def two_hours(people: int) -> int:
        text = client.get("/results", params={"profile": "cpa", "role.staff.people": str(people)}).text
        found = re.search(r"Two hours without internet cost about \$([\d,]+)", text)
        assert found
        return int(found.group(1).replace(",", ""))

    assert two_hours(4) < two_hours(8) < two_hours(30)


def test_mistakes_come_back_as_sentences(client: TestClient) -> None:
    query = {"profile": "cpa", "role.staff.people": "-5", "calls.per_h": "many", "owner.longest_h": "0"}
    answer = client.get("/", params=query)
    assert answer.status_code == 422
    for name in ("role.staff.people", "calls.per_h", "owner.longest_h"):
        assert f"<li>{name}: expected" in answer.text
    assert client.get("/results", params=query).status_code == 200
    assert client.get("/review.pdf", params=query).status_code == 307


def test_markup_stays_text(client: TestClient) -> None:
    answer = client.get(
        "/",
        params={"profile": "cpa", "office.name": '"><script>alert(1)</script>', "uplink.cable.street": "<img src=x>"},
    )
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_nothing_comes_from_elsewhere(client: TestClient) -> None:
    text = client.get("/").text
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text)
    for name in re.findall(r'"(/static/[^"]+)"', text):
        assert client.get(name).status_code == 200, name
    assert client.get("/static/..%2fapp.py").status_code == 404


def test_a_strict_policy_and_only_this_computer(client: TestClient) -> None:
    answer = client.get("/")
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert client.get("/", headers={"host": "planner.example"}).status_code == 400
    assert client.post("/").status_code == 405


def test_the_plan_can_be_kept(client: TestClient) -> None:
    answer = client.get("/plan.toml", params={"profile": "cpa", "role.staff.people": "20"})
    found = tomllib.loads(answer.text)
    assert next(role for role in found["role"] if role["id"] == "staff")["people"] == 20
    assert "attachment" in answer.headers["Content-Disposition"]


def test_the_review_is_made_from_the_page(client: TestClient) -> None:
    assert client.get("/review.pdf?" + urlencode({"profile": "retail"})).content.startswith(b"%PDF")
    assert client.get("/review.exe").status_code == 404


def test_the_first_load_is_small(client: TestClient) -> None:
    page = client.get("/").text
    assert len(page.encode()) < 60_000
    parts = [client.get(name).content for name in set(re.findall(r'"(/static/[^"]+)"', page))]
    assert sum(len(p) for p in parts) < 100_000
