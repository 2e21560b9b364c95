#!/usr/bin/env python3
"""Parses UDM events with the public UDM protobuf messages, strictly, outside of the product.

Every line must be accepted by the protobuf JSON parser: known field names, known enum values, the
right types, lists where the message has lists. Unknown fields are refused.

    python3 -m venv .venv
    .venv/bin/pip install google-backstory==0.1.1
    .venv/bin/python tests/udm_proto/check.py [FILES|FOLDERS]

Without an argument it takes the golden files of the UDM below fixtures/. Exit status: 0 all
accepted, 1 some refused, 2 nothing could be checked.
"""

import pathlib
import sys

try:
    from google.backstory import UDM
    from google.protobuf import json_format
except ImportError as missing:
    print(f"{missing}\nfirst: pip install google-backstory==0.1.1", file=sys.stderr)
    sys.exit(2)

# What a lenient parser would let pass; if one of these is accepted, nothing here is worth a thing.
WRONG = [
    '{"metadata":{"eventtimestamp":"2025-01-01T00:00:00Z"}}',
    '{"metadata":{"event_type":"USER_LOGGED_IN"}}',
    '{"metadata":{"event_timestamp":"yesterday"}}',
    '{"principal":{"ip":"192.0.2.1"}}',
    '{"principal":{"port":"https"}}',
    '{"pricipal":{}}',
]


def complaint(line):
    """Why the parser refuses the line, or None."""
    try:
        json_format.Parse(line, UDM.pb(UDM()), ignore_unknown_fields=False)
    except json_format.ParseError as refused:
        return str(refused)
    return None


def files(arguments):
    for argument in arguments:
        path = pathlib.Path(argument)
        if path.is_dir():
            # udm.ndjson, full.udm.ndjson, udm.messages.ndjson
            yield from sorted(f for f in path.rglob("*.ndjson") if "udm" in f.name.split("."))
        else:
            yield path


def main(arguments):
    for line in WRONG:
        if complaint(line) is None:
            print(f"the parser accepts what is wrong: {line}", file=sys.stderr)
            return 2
    below = pathlib.Path(__file__).resolve().parents[2] / "fixtures"
    accepted = refused = 0
    for file in files(arguments or [below]):
        for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
            if not line.strip():
                continue
            why = complaint(line)
            if why is None:
                accepted += 1
            else:
                refused += 1
                print(f"{file}:{number}: {why}")
    print(f"{accepted} events accepted, {refused} refused")
    if accepted + refused == 0:
        return 2
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
