"""What may be asked over the control socket, and how what may not is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.wire.messages import (
    HOLD_LIMIT_S,
    LINE_LIMIT_BYTES,
    BadMessage,
    Request,
    Response,
    Verb,
    parse_request,
    parse_response,
    request_line,
    response_line,
)

REQUESTS = st.one_of(
    st.sampled_from(
        [Request(v) for v in Verb if v not in (Verb.FAILOVER, Verb.HOLD, Verb.TEACH, Verb.ALLOWANCE, Verb.TRACE)]
    ),
    st.builds(lambda said: Request(Verb.TEACH, {"from": said}), st.text(min_size=1)),
    st.builds(
        lambda name, used: Request(Verb.ALLOWANCE, {"uplink": name, "used_bytes": used, "restraint": "lift"}),
        st.text(min_size=1),
        st.integers(min_value=0, max_value=2**63 - 1),
    ),
    st.builds(lambda name: Request(Verb.FAILOVER, {"uplink": name}), st.text(min_size=1)),
    st.builds(
        lambda a, b, port: Request(Verb.TRACE, {"source": a, "destination": b, "port": port}),
        st.text(min_size=1),
        st.text(min_size=1),
        st.integers(min_value=0, max_value=65535),
    ),
    st.builds(
        lambda s: Request(Verb.HOLD, {"duration_s": s}),
        st.floats(min_value=0, max_value=HOLD_LIMIT_S, exclude_min=True),
    ),
    st.builds(lambda n: Request(Verb.EVENTS, {"limit": n}), st.integers(min_value=0, max_value=2**63 - 1)),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(REQUESTS)
def test_a_request_arrives_as_it_was_sent(request_: Request) -> None:
    assert parse_request(request_line(request_)) == request_


@given(st.booleans(), st.dictionaries(st.text(), JSON, max_size=4), st.text(), st.integers(0, 3))
def test_a_response_arrives_as_it_was_sent(ok: bool, data: dict[str, object], error: str, code: int) -> None:
    response = Response(ok, data, error, code)
    line = response_line(response)
    assert line.count(b"\n") == 1
    assert parse_response(line) == response


@given(st.binary(max_size=LINE_LIMIT_BYTES) | JSON.map(lambda value: json.dumps(value).encode()))
def test_nonsense_is_refused_with_a_sentence_and_nothing_worse(line: bytes) -> None:
    try:
        parse_request(line)
    except BadMessage as wrong:
        assert str(wrong).endswith(".")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("[]", "A message is a JSON object."),
        ("{", "This is not a line of JSON."),
        ("[" * 4000, "This is not a line of JSON."),
        ('{"verb":"reboot"}', "There is no verb 'reboot'. The verbs are: status, watch, events, failover, failback, "),
        ('{"verb":"status","args":[]}', "The args of a request are an object."),
        ('{"verb":"status","shell":"id"}', "A request has a verb and args, but no 'shell'."),
        ('{"verb":"status","args":{"deep":true}}', "status knows no 'deep'."),
        ('{"verb":"failover"}', "failover needs uplink."),
        ('{"verb":"failover","args":{"uplink":7}}', "uplink of failover must be a text."),
        ('{"verb":"failover","args":{"uplink":""}}', "uplink of failover must be a text."),
        ('{"verb":"hold","args":{"duration_s":"1h"}}', "duration_s of hold must be a number."),
        ('{"verb":"hold","args":{"duration_s":true}}', "duration_s of hold must be a number."),
        ('{"verb":"hold","args":{"duration_s":-1}}', "duration_s of hold is out of range."),
        ('{"verb":"hold","args":{"duration_s":NaN}}', "duration_s of hold is out of range."),
        ('{"verb":"hold","args":{"duration_s":604801}}', "duration_s of hold is out of range."),
        ('{"verb":"events","args":{"limit":1.5}}', "limit of events is out of range."),
    ],
)
def test_what_is_wrong_is_said(line: str, sentence: str) -> None:
    with pytest.raises(BadMessage) as wrong:
        parse_request(line.encode())
    assert str(wrong.value).startswith(sentence)
