#!/usr/bin/env python3
"""The report that ./check writes: counts, failures, reasons and times of a log that is made here."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools/test_report.py"
TESTS = [("one", "OK", 1, "[  SKIPPED ] test_case\n"), ("two", "SKIP", 2, "skipped: no such device\n"), ("three", "FAIL", 60.5, "expected"), ("four", "TIMEOUT", 3, "")]


class Report(unittest.TestCase):
    def test_page(self):
        with tempfile.TemporaryDirectory() as name:
            log, out = pathlib.Path(name) / "log.json", pathlib.Path(name) / "out.md"
            rows = [{"name": f"tidemill:slow / {name}", "result": result, "starttime": 100.0, "duration": s, "stdout": text} for name, result, s, text in TESTS]
            log.write_text("".join(json.dumps(row) + "\n" for row in rows))
            subprocess.run([sys.executable, TOOL, log, out, "slow"], check=True)
            page = out.read_text()
            for words in ("1 passed, 2 failed, 1 skipped in 1.0 min.", "- three: FAIL\n- four: TIMEOUT", "- two: no such device", "- one: test_case",
                          "| three | 60.5 |\n| four | 3.0 |", "| commit | ", "| machine | "):
                self.assertIn(words, page)
            log.write_text("")
            self.assertNotEqual(subprocess.run([sys.executable, TOOL, log, out, "slow"], capture_output=True).returncode, 0, "no test, and a report")


if __name__ == "__main__":
    unittest.main(argv=["test_report", "-q"], verbosity=0)
