#!/usr/bin/env python3
"""compare.py EXPECTED FOUND: equality line by line, as JOBS.md says. Status 1 on a difference."""
import json
import re
import sys

FRACTION = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$")


def plain(value, key=None):
    if isinstance(value, dict):
        fields = {k: plain(v, k) for k, v in value.items()}
        return {k: v for k, v in fields.items() if v is not None and v != {} and not (k in LISTS and v == [])}
    if isinstance(value, list):
        items = [plain(v) for v in value]
        return list(dict.fromkeys(items)) if key == "p_any_emails" else items
    if key in TIMES and isinstance(value, str) and (time := FRACTION.match(value)):
        fraction = (time[2] or "").rstrip("0")
        return time[1] + ("." + fraction if fraction else "") + "Z"
    return value


TIMES = {"effective_at", "p_event_time", "event_timestamp"}
LISTS = {"p_any_emails", "labels"}


def lines(path):
    with open(path, "rb") as file:
        for line in file:
            if line.strip():
                yield line


def main():
    expected, found = sys.argv[1:3]
    count = different = 0
    theirs = lines(found)
    for line in lines(expected):
        other = next(theirs, None)
        count += 1
        if other is None or plain(json.loads(line)) != plain(json.loads(other)):
            different += 1
            if different <= 2:
                print("expected", line[:600].decode(), "found   ", (other or b"nothing")[:600].decode(), sep="\n")
    more = sum(1 for _ in theirs)
    print(f"{count} lines, {different} different, {more} too many")
    sys.exit(1 if different or more else 0)


main()
