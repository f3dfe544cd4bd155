#!/usr/bin/env python3
"""--progress json: stderr is one object a line, of the documented fields, and says how the program ended."""
import csv
import json
import pathlib
import re
import signal
import subprocess

import program
from program import Case, SMALL

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/progress.md"


def documented():
    """Fields and events of the page's two tables."""
    names = lambda first: {n for line in PAGE.read_text().splitlines() if (m := re.match(r"\| (`[^|]*) \|" + first, line))
                           for n in re.findall(r"`(\w+)`", m[1])}
    fields = names(r" (?:text|whole number|number|true) \|")
    return fields, names("") - fields


class Progress(Case):
    def setUp(self):
        super().setUp()
        self.data = program.write_series(self.folder / "series.csv")
        self.fields, self.events = documented()

    def lines(self, text):
        """The objects, each of them as documented, from `begin` to `end`."""
        found = [json.loads(line) for line in text.splitlines()]
        for e in found:
            self.assertIn(e["event"], self.events)
            if e["event"] != "failure":
                self.assertLessEqual(set(e), self.fields)
        return found

    def ran(self, code, *words):
        found = self.lines(self.code(code, *words, "--progress", "json").stderr)
        self.assertEqual((found[0]["event"], found[0]["command"]), ("begin", " ".join(words[:2])))
        self.assertEqual(found[-1], {"event": "end", "exit": code})
        return found

    def test_training(self):
        run = self.folder / "run"
        found = self.ran(0, "forecast", "train", "--data", self.data, "--out", run, *SMALL, "--epochs", 60, "--patience", 0)
        epochs = [e for e in found if e.get("stage") == "epoch"]
        with open(run / "metrics.csv") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([e["epoch"] for e in epochs], list(range(1, 61)), "lines for people would leave some of these out")
        for e, row in zip(epochs, rows, strict=True):
            self.assertAlmostEqual(e["val_loss"], float(row["val_loss"]), delta=1e-6 * e["val_loss"])
        steps = [e for e in found if e.get("stage") == "step"]
        self.assertLessEqual(len(steps), 10 * found[-3].get("seconds", 60) + 600, "at most ten a second")
        self.assertIn(str(run / "model.safetensors"), [e["message"] for e in found if e["event"] == "file"])

    def test_quiet_and_result(self):
        done = self.code(0, "forecast", "train", "--data", self.data, "--out", self.folder / "run", *SMALL, "--progress=json", "--json", "--quiet")
        self.assertEqual({e["event"] for e in self.lines(done.stderr)} - {"warning"}, {"begin", "end"})
        self.assertEqual(json.loads(done.stdout)["schema_version"], 1)

    def test_failures(self):
        found = self.ran(3, "forecast", "train", "--data", self.folder / "none.csv")
        self.assertEqual((found[-2]["event"], found[-2]["code"]), ("failure", "bad_input"))
        for words in (["--dta", "x"], ["--epochs", "many"]):  # before the options are accepted, nothing begins
            said = self.lines(self.code(2, "forecast", "train", "--progress", "json", *words).stderr)
            self.assertEqual([e["event"] for e in said], ["failure"])
        self.assertIn("is one of text, json", self.code(2, "forecast", "train", "--progress", "yes").stderr)

    def test_spectra(self):
        spectrum = self.folder / "s.csv"
        self.code(0, "eis", "simulate", spectrum)
        self.ran(0, "eis", "complete", "--known", "Rsh=460,Ra=4.82k", "--spectrum", spectrum)
        self.ran(0, "eis", "fit", spectrum)
        found = self.ran(0, "eis", "train", "--recipe", "grid", "--out", self.folder / "model", "--pool-spectra", 1024, "--batch-size", 64,
                         "--hidden-dim", 8, "--epochs", 2, "--no-plots")
        self.assertEqual([e["epoch"] for e in found if e.get("stage") == "epoch" and e.get("val_loss")][-1], 2, found[-8:])

    def test_stopped_and_killed(self):
        for number, code in ((signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)):
            child = subprocess.Popen([program.PROGRAM, *map(str, ("forecast", "train", "--data", self.data, "--out", self.folder / f"run{number}", *SMALL,
                                                                  "--epochs", 100000, "--patience", 0, "--no-plots", "--progress", "json"))],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=program.environment())
            said = []
            for line in child.stderr:
                said.append(line)
                if '"epoch":2' in line:
                    break
            child.send_signal(number)
            said += child.stderr.readlines()
            self.assertEqual(child.wait(timeout=30), code)
            last = self.lines("".join(said))[-1]
            self.assertEqual(last["event"] == "end", code > 0, last)
            child.stderr.close()


if __name__ == "__main__":
    program.main("progress")
