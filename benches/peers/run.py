#!/usr/bin/env python3
"""logmill beside other tools on the two jobs of JOBS.md.

    benches/peers/run.py                      installs what is missing, checks, measures, prints the table
    benches/peers/run.py --megabytes 1000 --rounds 5
    benches/peers/run.py --only logmill,jq    these alone
    benches/peers/run.py --again DuckDB       these anew; the rest of the table is that of the run before
    benches/peers/run.py --list               the names

Installed from public registries, below target/peers: orjson, DuckDB, Polars, ClickHouse (as chDB) and Tenzir (pip, versions
in requirements.txt), jaq (cargo install), VRL (a driver built by cargo); and jq (apt). A tool that cannot be installed is
left out, and that is said. Installing takes about 15 minutes, nearly all of them compiling, and is done once.

Every output is compared with that of reference.py on the first megabytes of each corpus before anything is timed; a tool
whose output differs is not timed, and the status is 1. Then the tools run in turns, each from a file to /dev/null, and the
table has medians of the rounds. Slow tools get a shorter head of the same corpus: the table says how many MB each has read.
About 10 minutes with the tools installed.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Callable, NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "peers"
JOBS = ("audit", "conversation")
PYTHON = WORK / "venv" / "bin" / "python"
TENZIR = WORK / "venv" / "bin" / "tenzir"
JAQ = WORK / "jaq" / "bin" / "jaq"
VRL = WORK / "vrl" / "release" / "vrl-driver"


class Tool(NamedTuple):
    # Of a job and its input, which is standard input too; what it writes to standard output is looked at.
    command: Callable[[str, Path], list]
    # What is asked whether the tool is there.
    asks: list
    # The part of the corpus that it gets.
    part: float = 1


def tools(programs):
    """By name; `programs` are those that are built here."""
    logmill, tape = programs["logmill"], programs["tape"]
    target = {"audit": "stored_audit", "conversation": "udm"}

    def convert(threads):
        return Tool(
            lambda job, i: [
                logmill, "convert", i, "--mappings", HERE / "mappings", "--to", target[job], "--content", "full",
                "--threads", threads, "--metrics", WORK / "metrics.json", "--quiet",
            ],
            [logmill, "--version"],
        )

    def sql(module, threads):
        script = HERE / f"{module}_job.py"
        has = [PYTHON, "-c", f"import {'chdb' if module == 'clickhouse' else module}"]
        return Tool(lambda job, i: [PYTHON, script, job, i, threads], has)

    def vrl(threads):
        return Tool(lambda job, i: [VRL, HERE / f"{job}.vrl", threads], ["test", "-x", VRL], 0.25)

    def python(module):
        return Tool(lambda job, i: [PYTHON, HERE / "script.py", module, job], [PYTHON, "-c", f"import {module}"], 0.25)

    def tenzir(job, i):
        return [TENZIR, f'from_file "{i}" {{ read_ndjson raw=true }}\n' + (HERE / f"{job}.tql").read_text()]

    return {
        "logmill, 1 thread": convert("1"),
        "logmill, 2 threads": convert("2"),
        "Rust, simd-json tape by hand": Tool(lambda job, i: [tape, job, i, "/dev/stdout"], ["test", "-x", tape]),
        "DuckDB 2.0, 1 thread": sql("duckdb", "1"),
        "DuckDB 2.0, 2 threads": sql("duckdb", "2"),
        "ClickHouse (chDB 4.4), 1 thread": sql("clickhouse", "1"),
        "ClickHouse (chDB 4.4), 2 threads": sql("clickhouse", "2"),
        "Polars 2.1, 1 thread": sql("polars", "1"),
        "Polars 2.1, 2 threads": sql("polars", "2"),
        "Tenzir 6.20": Tool(tenzir, [TENZIR, "version"], 0.25),
        "VRL 0.38, 1 thread": vrl("1"),
        "VRL 0.38, 2 threads": vrl("2"),
        "Python, orjson": python("orjson"),
        "Python, json": python("json"),
        "jaq 3.1": Tool(lambda job, i: [JAQ, "-c", "-f", HERE / f"{job}.jq"], [JAQ, "--version"], 0.05),
        "jq": Tool(lambda job, i: ["jq", "-c", "-f", HERE / f"{job}.jq"], ["jq", "--version"], 0.05),
    }


def said(*command):
    print("+", *command, file=sys.stderr)
    return subprocess.run([str(c) for c in command], stdout=sys.stderr).returncode == 0


def install(names):
    """Those of the tools that this machine lacks."""
    wanted = lambda *tools: any(tool in name for tool in tools for name in names)
    if wanted("Python", "DuckDB", "ClickHouse", "Polars", "Tenzir"):
        if not PYTHON.exists():
            said(sys.executable, "-m", "venv", WORK / "venv")
        # One by one: a machine for which one has no wheel still gets the others.
        for package in (HERE / "requirements.txt").read_text().split():
            said(PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", package)
    if wanted("jq") and not shutil.which("jq"):
        said("apt-get", "install", "-qy", "jq")
    if wanted("jaq") and not JAQ.exists():
        said("cargo", "install", "jaq", "--version", "3.1.2", "--locked", "--root", WORK / "jaq")
    if wanted("VRL"):
        manifest = HERE / "vrl" / "Cargo.toml"
        said("cargo", "build", "--release", "--locked", "--manifest-path", manifest, "--target-dir", WORK / "vrl")


def present(tool):
    try:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
        return subprocess.run([str(part) for part in tool.asks], **quiet).returncode == 0
    except OSError:
        return False


def build():
    """The programs that cargo builds, by name: logmill, the yardstick, and what writes the corpora."""
    programs = {}
    # The benches bring a program of their own under the same name: the one that users get comes last.
    for kind in (["bench", "--no-run", "--bench", "tape", "--bench", "corpus"], ["build", "--release", "--bin", "logmill"]):
        command = ["cargo", *kind, "--locked", "--message-format=json-render-diagnostics"]
        print("+", *command, file=sys.stderr)
        run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        for message in map(json.loads, run.stdout.splitlines()):
            if message.get("executable"):
                programs[message["target"]["name"]] = message["executable"]
    return programs


def run(tool, job, source, output):
    """Wall and CPU seconds, peak memory in MiB; None where the tool fails."""
    argv = [str(part) for part in tool.command(job, source)]
    peak, ended = [0], threading.Event()
    with open(source, "rb") as stdin, open(output, "wb") as stdout:
        start = time.monotonic()
        process = subprocess.Popen(argv, stdin=stdin, stdout=stdout)
        watch = threading.Thread(target=watch_memory, args=(process.pid, ended, peak))
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
    process.returncode = status
    ended.set()
    watch.join()
    return None if status else (wall, used.ru_utime + used.ru_stime, peak[0] / 1024)


def watch_memory(pid, ended, peak):
    """The peak in KiB. What the kernel reports at the end has this script's own memory as its least value."""
    while not ended.wait(0.01):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        marks = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
        peak[0] = max(peak[0], next(marks, 0))


def head(source, megabytes, name):
    """The whole lines at the start of a file, as a file of their own."""
    path = WORK / f"{Path(source).stem}.{name}.ndjson"
    with open(source, "rb") as file:
        text = file.read(int(megabytes * 1e6))
    path.write_bytes(text[: text.rindex(b"\n") + 1])
    return path


def verdict(tool, job, source, expected):
    found = WORK / "found.ndjson"
    if run(tool, job, source, found) is None:
        return "fails"
    check = subprocess.run([sys.executable, HERE / "compare.py", expected, found], stdout=subprocess.PIPE, text=True)
    found.unlink()
    if check.returncode:
        print(check.stdout, file=sys.stderr)
    return "equal" if check.returncode == 0 else "DIFFERENT"


def verify(chosen, sources, megabytes):
    """The tools and jobs whose output is not the expected one."""
    wrong = []
    for job in JOBS:
        text, expected = head(sources[job], megabytes, "verify"), WORK / f"{job}.expected.ndjson"
        with open(text, "rb") as stdin, open(expected, "wb") as stdout:
            subprocess.run([sys.executable, HERE / "reference.py", job], stdin=stdin, stdout=stdout, check=True)
        for name, tool in chosen.items():
            result = verdict(tool, job, text, expected)
            print(f"{job:13} {name:34} {result}", file=sys.stderr)
            if result != "equal":
                wrong.append((name, job))
    return wrong


def measure(chosen, sources, rounds, wrong):
    """By name and job: the megabytes read, and wall seconds, CPU seconds and memory of each round."""
    inputs = {}
    for job in JOBS:
        whole = os.path.getsize(sources[job]) / 1e6
        for part in {tool.part for tool in chosen.values()}:
            inputs[job, part] = sources[job] if part == 1 else head(sources[job], whole * part, f"part{part}")
    found = {}
    for turn in range(rounds):
        for name, tool in chosen.items():
            for job in JOBS:
                if (name, job) in wrong:
                    continue
                source = inputs[job, tool.part]
                if result := run(tool, job, source, "/dev/null"):
                    of = found.setdefault(name, {}).setdefault(job, {"megabytes": os.path.getsize(source) / 1e6, "rounds": []})
                    of["rounds"].append(result)
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    return found


def rates(of):
    """MB per CPU second and per second, and the peak of memory."""
    wall, cpu = (of["megabytes"] / statistics.median(r[n] for r in of["rounds"]) for n in (0, 1))
    return cpu, wall, max(r[2] for r in of["rounds"])


def table(found):
    print("| tool | MB read | audit: MB per CPU second | wall MB/s | memory, MiB | conversation: MB per CPU second | wall MB/s | memory, MiB |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, jobs in found.items():
        version = subprocess.run(["jq", "--version"], stdout=subprocess.PIPE, text=True).stdout if name == "jq" else ""
        cells = [version.strip().replace("-", " ") or name, f"{max(of['megabytes'] for of in jobs.values()):.0f}"]
        for job in JOBS:
            values = rates(jobs[job]) if job in jobs else (None, None, None)
            cells += ["" if v is None else f"{v:.0f}" if v >= 20 else f"{v:.1f}" for v in values]
        print("|", " | ".join(cells), "|")
    one = found.get("logmill, 1 thread", {})
    for job in JOBS:
        by_hand = ("logmill", "Rust")
        others = {n: rates(j[job])[0] for n, j in found.items() if job in j and not n.startswith(by_hand)}
        if job not in one:
            continue
        cpu, wall, _ = rates(one[job])
        facts = []
        if others:
            best = max(others, key=others.get)
            facts.append(f"{cpu / others[best]:.1f} times the MB per CPU second of the fastest other tool ({best})")
        if tape := found.get("Rust, simd-json tape by hand", {}).get(job):
            facts.append(f"{cpu / rates(tape)[0]:.2f} times those of the tape")
        if two := found.get("logmill, 2 threads", {}).get(job):
            facts.append(f"two threads {rates(two)[1] / wall:.2f} times the speed of one")
        if facts:
            print(f"\nlogmill on the {job} job:", ", ".join(facts))


def corpus(program, job, megabytes):
    path = WORK / f"{job}.{megabytes}.ndjson"
    if not path.exists():
        part = path.with_suffix(".part")
        subprocess.run([program, job, str(megabytes * 1_000_000), part], check=True)
        part.rename(path)
    return path


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--megabytes", type=int, default=400, help="of each corpus")
    parse.add_argument("--verify", type=int, default=10, help="megabytes of each corpus that are compared")
    parse.add_argument("--rounds", type=int, default=3)
    parse.add_argument("--only", default="", metavar="NAMES", help="names, or parts of names, of tools; joined by commas")
    parse.add_argument("--again", metavar="NAMES", help="the same, and the others' figures are those of the run before")
    parse.add_argument("--list", action="store_true", help="prints the names of the tools")
    parse.add_argument("--no-install", action="store_true")
    for job in JOBS:
        parse.add_argument(f"--{job}", metavar="FILE", help="NDJSON in place of the generated corpus")
    options = parse.parse_args()

    WORK.mkdir(parents=True, exist_ok=True)
    if options.list:
        return print("\n".join(tools({"logmill": "", "tape": ""})))
    programs = build()
    every = tools(programs)
    # A comma is part of a name, too: those of the command line have none behind them.
    parts = [part.strip() for part in (options.again or options.only).split(",")]
    chosen = {name: tool for name, tool in every.items() if any(part in name for part in parts)}
    if not chosen:
        sys.exit(f"no such tool; there are: {'; '.join(every)}")
    if not options.no_install:
        install(chosen)
    absent = [name for name, tool in chosen.items() if not present(tool)]
    chosen = {name: tool for name, tool in chosen.items() if name not in absent}
    sources = {job: getattr(options, job) or corpus(programs["corpus"], job, options.megabytes) for job in JOBS}

    wrong = verify(chosen, sources, options.verify)
    found = measure(chosen, sources, options.rounds, wrong)
    results = WORK / "results.json"
    before = json.loads(results.read_text()) if options.again and results.exists() else {}
    merged = {name: found.get(name) or before.get(name) for name in every}
    merged = {name: jobs for name, jobs in merged.items() if jobs}
    results.write_text(json.dumps(merged))
    table(merged)
    if absent:
        print("not installed, and left out:", "; ".join(absent), file=sys.stderr)
    if wrong:
        print("left out:", "; ".join(f"{name} ({job})" for name, job in wrong), file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
