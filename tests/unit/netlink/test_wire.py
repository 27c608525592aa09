"""Messages and attributes as bytes: what is packed is parsed again, and no bytes make the parser hang or lie."""

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.netlink.wire import (
    NESTED,
    Message,
    NetlinkError,
    answer_error,
    attribute,
    attributes,
    each_attribute,
    message,
    messages,
    nest,
    number,
    string,
    text,
    word,
)

kinds = st.integers(0, 0x3FFF)
payloads = st.binary(max_size=200)


@given(st.lists(st.tuples(kinds, payloads)))
def test_attributes_packed_are_attributes_parsed(wanted: list[tuple[int, bytes]]) -> None:
    packed = b"".join(attribute(kind, payload) for kind, payload in wanted)
    assert len(packed) % 4 == 0
    assert list(each_attribute(packed)) == wanted
    assert list(each_attribute(b"head" + packed, 4)) == wanted
    assert attributes(packed) == dict(wanted)


@given(kinds, st.lists(st.tuples(kinds, payloads), max_size=5))
def test_a_nest_holds_its_attributes_and_says_that_it_is_one(kind: int, inner: list[tuple[int, bytes]]) -> None:
    packed = nest(kind, *(attribute(each, payload) for each, payload in inner))
    assert struct.unpack_from("=H", packed, 2)[0] & NESTED
    ((found, content),) = each_attribute(packed)
    assert found == kind
    assert list(each_attribute(content)) == inner


bodies = st.binary(max_size=100).map(lambda body: body + bytes(-len(body) % 4))


@given(
    st.lists(
        st.builds(
            Message, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), bodies, st.just(0)
        )
    )
)
def test_messages_packed_are_messages_parsed(wanted: list[Message]) -> None:
    assert list(messages(b"".join(message(*each[:4]) for each in wanted))) == wanted


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused_as_unreadable(noise: bytes) -> None:
    for parse in (lambda: list(messages(noise)), lambda: attributes(noise)):
        try:
            parse()
        except NetlinkError as fault:
            assert fault.errno == errno.EBADMSG


@pytest.mark.parametrize("size", [0, 3, 9, 0xFFFF])
def test_an_attribute_whose_length_lies_is_refused(size: int) -> None:
    with pytest.raises(NetlinkError) as refused:
        attributes(struct.pack("=HH", size, 1) + b"1234")
    assert refused.value.errno == errno.EBADMSG


@pytest.mark.parametrize("size", [0, 15, 21, 0xFFFFFFFF])
def test_a_message_whose_length_lies_is_refused(size: int) -> None:
    with pytest.raises(NetlinkError) as refused:
        list(messages(struct.pack("=IHHII", size, 1, 0, 1, 0) + b"1234"))
    assert refused.value.errno == errno.EBADMSG


@given(st.text(max_size=30).filter(lambda value: "\0" not in value))
def test_a_string_comes_back_without_its_closing_zero(value: str) -> None:
    assert string(attributes(text(3, value))[3]) == value


@given(st.integers(0, 2**32 - 1))
def test_a_word_is_in_the_order_of_this_machine(value: int) -> None:
    assert word(7, value) == attribute(7, struct.pack("=I", value))
    assert number(struct.pack("=I", value)) == value


ASKED = message(24, 5, 9, b"the request's own body!!")


def acknowledgement(code: int, flags: int, asked: bytes, words: str = "") -> Message:
    told = text(1, words) if words else b""
    return Message(2, flags, 9, struct.pack("=i", -code) + asked + told)


def test_an_acknowledgement_is_error_zero() -> None:
    assert answer_error(acknowledgement(0, 0x100, ASKED[:16])) == (0, "")


def test_an_error_brings_the_kernels_words_whether_or_not_the_request_is_repeated() -> None:
    capped = acknowledgement(errno.EINVAL, 0x300, ASKED[:16], "Nexthop has invalid gateway")
    whole = acknowledgement(errno.EINVAL, 0x200, ASKED, "Nexthop has invalid gateway")
    assert answer_error(capped) == answer_error(whole) == (errno.EINVAL, "Nexthop has invalid gateway")


def test_an_error_without_words_is_its_number_alone() -> None:
    assert answer_error(acknowledgement(errno.ENOENT, 0, ASKED)) == (errno.ENOENT, "")


def test_the_end_of_a_dump_may_bring_an_error_too() -> None:
    assert answer_error(Message(3, 0x202, 9, struct.pack("=i", -errno.ENOENT) + text(1, "no table"))) == (
        errno.ENOENT,
        "no table",
    )
    assert answer_error(Message(3, 2, 9, bytes(4))) == (0, "")


def test_an_error_is_an_os_error_that_says_what_was_asked() -> None:
    fault = NetlinkError(errno.ESRCH, "delete the route")
    assert isinstance(fault, OSError)
    assert (fault.errno, fault.what, str(fault)) == (errno.ESRCH, "delete the route", "[Errno 3] delete the route")
