#!/usr/bin/env python3
"""logmill beside other tools on the two jobs of JOBS.md.

    benches/peers/run.py                      installs what is missing, checks, measures, prints the table
    benches/peers/run.py --megabytes 1000 --rounds 5
    benches/peers/run.py --only logmill,jq    these alone

Installed from public registries, below target/peers: orjson and DuckDB (pip), jaq (cargo install), VRL (a driver built by
cargo), jq (apt). A tool that cannot be installed is left out, and that is said. Every output is compared with that of
reference.py on the first megabytes of each corpus before anything is timed; a tool whose output differs is not timed, and the
status is 1. Then every tool runs the whole corpus, in turns; the table has medians. Output goes to /dev/null, or to a file in
memory where a tool writes only files.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "peers"
JOBS = ("audit", "conversation")
PYTHON = WORK / "venv" / "bin" / "python"
JAQ = WORK / "jaq" / "bin" / "jaq"
VRL = WORK / "vrl" / "release" / "vrl-driver"


def said(*command, **options):
    print("+", *command, file=sys.stderr)
    return subprocess.run([str(c) for c in command], stdout=sys.stderr, **options).returncode == 0


def install(names):
    """Those of the tools that this machine lacks."""
    wanted = lambda tool: any(tool in name for name in names)
    if not PYTHON.exists():
        said(sys.executable, "-m", "venv", WORK / "venv")
    if wanted("DuckDB") or wanted("orjson"):
        said(PYTHON, "-m", "pip", "install", "-q", "orjson==3.13.0", "duckdb==2.0.0")
    if wanted("jq") and not shutil.which("jq"):
        said("apt-get", "install", "-qy", "jq")
    if wanted("jaq") and not JAQ.exists():
        said("cargo", "install", "jaq", "--version", "3.1.2", "--locked", "--root", WORK / "jaq")
    if wanted("VRL") and not VRL.exists():
        manifest = HERE / "vrl" / "Cargo.toml"
        said("cargo", "build", "--release", "--manifest-path", manifest, "--target-dir", WORK / "vrl")


def built(*kind):
    """The program that cargo builds."""
    command = ["cargo", *kind, "--message-format=json-render-diagnostics"]
    print("+", *command, file=sys.stderr)
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    messages = map(json.loads, run.stdout.splitlines())
    name = kind[-1]
    found = [m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == name]
    return found[-1]


def tools():
    """By name: the command of a job, input and output; then how it takes the two."""
    logmill, tape = built("build", "--release", "--bin", "logmill"), built("bench", "--no-run", "--bench", "tape")
    target = {"audit": "stored_audit", "conversation": "udm"}

    def convert(threads):
        return lambda job, i, o: [
            logmill, "convert", i, "--mappings", HERE / "mappings", "--to", target[job], "--content", "full",
            "--threads", threads, "--metrics", WORK / "metrics.json", "--quiet",
        ]

    return {
        "logmill, 1 thread": convert("1"),
        "logmill, 2 threads": convert("2"),
        "Rust, simd-json tape by hand": lambda job, i, o: [tape, job, i, o],
        "DuckDB 2.0, 1 thread": lambda job, i, o: [PYTHON, HERE / "duck.py", job, i, o, "1"],
        "DuckDB 2.0, 2 threads": lambda job, i, o: [PYTHON, HERE / "duck.py", job, i, o, "2"],
        "VRL 0.38, 1 thread": lambda job, i, o: [VRL, HERE / f"{job}.vrl", "1"],
        "Python, orjson": lambda job, i, o: [PYTHON, HERE / "script.py", "orjson", job],
        "Python, json": lambda job, i, o: [PYTHON, HERE / "script.py", "json", job],
        "jaq 3.1": lambda job, i, o: [JAQ, "-c", "-f", HERE / f"{job}.jq"],
        "jq": lambda job, i, o: ["jq", "-c", "-f", HERE / f"{job}.jq"],
    }


WRITES_FILES = ("DuckDB", "Rust")


def run(name, command, job, source, output):
    """Wall and CPU seconds, peak memory in MiB; None where the tool fails."""
    argv = [str(c) for c in command(job, source, output)]
    # A tool that writes its file itself is not handed it as its standard output, too.
    sink = "/dev/null" if name.startswith(WRITES_FILES) else output
    with open(source, "rb") as stdin, open(sink, "wb") as stdout:
        start = time.monotonic()
        try:
            process = subprocess.Popen(argv, stdin=stdin, stdout=stdout)
        except OSError as e:
            print(f"{name}: {e}", file=sys.stderr)
            return None
        peak = 0
        # What the kernel reports at the end has this script's own memory as its least value.
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            peak = max(peak, peak_memory(process.pid))
            time.sleep(0.002)
        wall = time.monotonic() - start
        _, status, used = os.wait4(process.pid, 0)
    return None if status else (wall, used.ru_utime + used.ru_stime, peak / 1024)


def peak_memory(pid):
    """In KiB, of a process and what it became; 0 when it has none any more."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def head(source, size):
    """The whole lines at the start of a file, as a file of their own."""
    path = WORK / f"{Path(source).stem}.head.ndjson"
    with open(source, "rb") as file:
        text = file.read(size)
    path.write_bytes(text[: text.rindex(b"\n") + 1])
    return path


def equal(name, command, job, source, expected):
    found = WORK / "found.ndjson"
    if run(name, command, job, source, found) is None:
        return "fails"
    check = subprocess.run(
        [sys.executable, HERE / "compare.py", expected, found], stdout=subprocess.PIPE, text=True
    )
    if check.returncode:
        print(check.stdout, file=sys.stderr)
    return "equal" if check.returncode == 0 else "DIFFERENT"


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--megabytes", type=int, default=200, help="of each corpus")
    parse.add_argument("--verify", type=int, default=10, help="megabytes of each corpus that are compared")
    parse.add_argument("--rounds", type=int, default=3)
    parse.add_argument("--only", default="", help="names, or parts of names, of tools")
    parse.add_argument("--no-install", action="store_true")
    for job in JOBS:
        parse.add_argument(f"--{job}", help="an NDJSON file in place of the generated corpus")
    options = parse.parse_args()

    WORK.mkdir(parents=True, exist_ok=True)
    chosen = {
        name: command
        for name, command in tools().items()
        if any(part in name for part in options.only.split(","))
    }
    if not options.no_install:
        install(chosen)
    sources = {}
    for job in JOBS:
        sources[job] = getattr(options, job)
        if sources[job] is None:
            sources[job] = WORK / f"{job}.{options.megabytes}.ndjson"
            if not sources[job].exists():
                size = options.megabytes * 1_000_000
                subprocess.run([built("bench", "--no-run", "--bench", "corpus"), job, str(size), sources[job]], check=True)

    wrong = []
    for job in JOBS:
        text, expected = head(sources[job], options.verify * 1_000_000), WORK / f"{job}.expected.ndjson"
        with open(text, "rb") as stdin, open(expected, "wb") as stdout:
            subprocess.run([sys.executable, HERE / "reference.py", job], stdin=stdin, stdout=stdout, check=True)
        for name, command in chosen.items():
            verdict = equal(name, command, job, text, expected)
            print(f"{job:13} {name:30} {verdict}", file=sys.stderr)
            if verdict != "equal":
                wrong.append((name, job))

    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else WORK
    output = memory / f"logmill-peers-{os.getpid()}"
    found = {}
    for _ in range(options.rounds):
        for name, command in chosen.items():
            for job in JOBS:
                if (name, job) not in wrong:
                    to = output if name.startswith(WRITES_FILES) else Path("/dev/null")
                    if result := run(name, command, job, sources[job], to):
                        found.setdefault((name, job), []).append(result)
                    output.unlink(missing_ok=True)
    print("| tool | job | wall MB/s | MB per CPU second | peak memory, MiB |\n|---|---|---:|---:|---:|")
    for (name, job), results in found.items():
        size = os.path.getsize(sources[job]) / 1e6
        wall, cpu = (size / statistics.median(r[n] for r in results) for n in (0, 1))
        print(f"| {name} | {job} | {wall:.1f} | {cpu:.1f} | {max(r[2] for r in results):.0f} |")
    if wrong:
        print("left out:", ", ".join(f"{name} ({job})" for name, job in wrong), file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
