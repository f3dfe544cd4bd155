"""The command line program under test, and small series to feed it."""
import csv
import datetime
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.environ.get("TIDEMILL_EXE", "build/cli/tidemill")
SHARED = pathlib.Path(os.environ.get("TIDEMILL_SHARED", pathlib.Path(__file__).resolve().parents[2].parent / "shared"))

# Small and quick: about a second of training.
SMALL = ["--seq-len", "16", "--pred-len", "4", "--d-model", "16", "--d-ff", "16", "--n-heads", "2", "--e-layers", "1",
         "--batch-size", "16", "--epochs", "2"]


STATE = tempfile.TemporaryDirectory()  # of services that are given no folder: never the user's own


def environment(**more):
    """No settings of the user's, and no GPU: what the machine has must not decide a test."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith("TIDEMILL_")}
    return {**keep, "LC_ALL": "C.UTF-8", "TIDEMILL_OPENCL": "none", "TIDEMILL_METAL": "none", "XDG_STATE_HOME": STATE.name, **{k: str(v) for k, v in more.items()}}


def run(*words, env=None, stdin=None, cwd=None, timeout=120):
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, input=stdin, cwd=cwd, timeout=timeout,
                          env=environment(**(env or {})))


def write_series(path, rows=300, columns=("load", "wind", "OT"), start=datetime.datetime(2024, 1, 1), step_s=3600):
    """Waves with a daily period, one phase a column."""
    with open(path, "w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["date", *columns])
        for i in range(rows):
            stamp = start + datetime.timedelta(seconds=i * step_s)
            table.writerow([stamp.strftime("%Y-%m-%d %H:%M:%S"),
                            *(f"{10 + 3 * math.sin(2 * math.pi * i / 24 + k) + 0.3 * math.sin(1.7 * i * (k + 1)):.4f}"
                              for k in range(len(columns)))])
    return path


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def code(self, expected, *words, **more):
        done = run(*words, **more)
        self.assertEqual(done.returncode, expected, f"tidemill {' '.join(map(str, words))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def error(self, expected, *words, **more):
        """Exit code and the failure's JSON."""
        done = self.code(expected, *words, "--json", **more)
        answer = json.loads(done.stdout)
        self.assertEqual(answer["schema_version"], 1)
        self.assertEqual(set(answer["error"]), {"code", "message", "file", "row", "column", "option"})
        return answer["error"]


def main(name):
    """unittest.main, quiet, that names what it skips as cmocka does: ./check lists and counts both."""
    done = unittest.main(module="__main__", verbosity=0, argv=[name, "-q", *(a for a in sys.argv[1:] if a != "slow")], exit=False)
    for test, _ in done.result.skipped:
        print(f"[  SKIPPED ] {test.id().split('.')[-1]}")
    sys.exit(not done.result.wasSuccessful())
