from __future__ import annotations

from secondpath.config.lines import find_lines, line_of

TEXT = '''\
title = "a # b" # a comment with [brackets] and = signs

[office]
"quoted key" = """
several = "lines"
[not.a.table]
""""
a.b.'c d' = 1979-05-27 07:32:00

[[uplink]]
list = [
  "one", # ] not the end
  { x = 1, y = [
    2, 3,
  ] },
  \'\'\'four
  lines\'\'\',
  "last",
]
[uplink.plan]
data = "20 GB"

[[uplink]]
name = "second"
[[uplink.deeper]]
here = true
[[uplink.deeper]]
here = false
'''


def test_every_key_and_entry_is_found_where_it_stands() -> None:
    lines = find_lines(TEXT)
    assert {path: line for path, line in lines.items() if path[0] != "uplink"} == {
        ("title",): 1,
        ("office",): 3,
        ("office", "quoted key"): 4,
        ("office", "a"): 8,
        ("office", "a", "b"): 8,
        ("office", "a", "b", "c d"): 8,
    }
    assert lines["uplink",] == 10
    assert lines["uplink", 0] == 10
    assert lines["uplink", 0, "list"] == 11
    assert [lines["uplink", 0, "list", i] for i in range(4)] == [12, 13, 16, 18]
    assert lines["uplink", 0, "list", 1, "y", 1] == 14
    assert lines["uplink", 0, "plan", "data"] == 21
    assert lines["uplink", 1, "name"] == 24
    assert lines["uplink", 1, "deeper", 0, "here"] == 26
    assert lines["uplink", 1, "deeper", 1, "here"] == 28


def test_a_missing_key_is_told_at_its_table() -> None:
    lines = find_lines(TEXT)
    assert line_of(("uplink", 1, "interface"), lines) == 23
    assert line_of(("network",), lines) is None


def test_line_ends_of_windows_count_once() -> None:
    assert find_lines("a = 1\r\nb = 2\r\n")["b",] == 2
