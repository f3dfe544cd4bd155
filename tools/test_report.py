#!/usr/bin/env python3
"""test_report.py LOG.json OUT.md TIER: what a run of the tests was, from Meson's log: counts, what failed, what was skipped and why, how long each
took, on which machine, with what, of which commit. `./check` writes one for each tier that it runs."""
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOOD, SKIPPED = ("OK", "EXPECTEDFAIL"), "SKIP"
VERSIONS = ("cc --version", "meson --version", "python3 --version", "ninja --version", "node --version", "build/cli/tidemill --version")


def said(command):
    """The first line of what it says; None where it cannot run."""
    try:
        done = subprocess.run(command.split(), cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip().split("\n")[0] if done.returncode == 0 else None


def reason(test):
    """Of a skipped test: what it said last, by our habit "skipped: why"."""
    text = (test.get("stdout") or "") + (test.get("stderr") or "")
    told = re.findall(r"(?m)^skipped: (.+)$", text) or [line for line in text.strip().split("\n") if line]
    return told[-1] if told else "it did not say"


def cases(test):
    """Those that a test left out itself: by cmocka, by unittest."""
    text = (test.get("stdout") or "") + (test.get("stderr") or "")
    names = re.findall(r"(?m)^\[  SKIPPED \] (\w+)$", text)
    count = re.search(r"OK \(skipped=(\d+)\)", text)
    return sorted(set(names)) + ([f"{count.group(1)} cases"] if count else [])


def machine():
    processor = next((line.split(":")[1].strip() for line in lines("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = next((line.split("=")[1].strip('"') for line in lines("/etc/os-release") if line.startswith("PRETTY_NAME=")), platform.platform())
    return f"{processor}, {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def lines(path):
    return pathlib.Path(path).read_text().splitlines() if pathlib.Path(path).exists() else []


def commit():
    found = said("git rev-parse --short=12 HEAD")
    if not found: return "no repository"
    return found + (", with changes" if said("git status --porcelain --untracked-files=no") else "")


def report(tests, tier):
    """The page, a string."""
    passed = [t for t in tests if t["result"] in GOOD]
    skipped = [t for t in tests if t["result"] == SKIPPED]
    failed = [t for t in tests if t not in passed and t not in skipped]
    seconds = max(t["starttime"] + t["duration"] for t in tests) - min(t["starttime"] for t in tests)
    page = [f"# {tier.capitalize()} tests", "", f"{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped in {seconds / 60:.1f} min.", "",
            "| | |", "| --- | --- |", f"| commit | {commit()} |", f"| ended | {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC |",
            f"| machine | {machine()} |"]
    page += [f"| `{command}` | {told} |" for command in VERSIONS if (told := said(command))]
    for title, some, columns in (("Failed", failed, lambda t: (t["result"],)), ("Skipped", skipped, lambda t: (reason(t),))):
        if some: page += ["", f"## {title}", ""] + [f"- {t['name'].split(' / ')[-1]}: {', '.join(columns(t))}" for t in some]
    out = [(t, cases(t)) for t in passed if cases(t)]
    if out: page += ["", "## Left out by tests that passed", ""] + [f"- {t['name'].split(' / ')[-1]}: {', '.join(names)}" for t, names in out]
    page += ["", "## Times", "", "| test | s |", "| --- | ---: |"]
    page += [f"| {t['name'].split(' / ')[-1]} | {t['duration']:.1f} |" for t in sorted(tests, key=lambda t: -t["duration"])]
    return "\n".join(page) + "\n"


def main():
    if len(sys.argv) != 4: raise SystemExit(__doc__)
    tests = [json.loads(line) for line in pathlib.Path(sys.argv[1]).read_text().splitlines() if line]
    if not tests: raise SystemExit("test_report: no test ran")
    pathlib.Path(sys.argv[2]).write_text(report(tests, sys.argv[3]))


if __name__ == "__main__":
    main()
