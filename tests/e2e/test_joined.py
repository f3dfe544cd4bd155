#!/usr/bin/env python3
"""Several processes make one data set on storage that all see: the bytes of one, whoever is killed."""
import filecmp
import json
import os
import signal
import subprocess
import sys
import time

import program
from program import Case

FULL = ["eis", "generate", "--grid", "full", "--threads", 1]


class Joined(Case):
    truths = 12

    def words(self, folder, *more):
        return [str(word) for word in (*FULL, "--n-ground-truths", self.truths, "--data-dir", folder, *more)]

    def start(self, folder, *more):
        return subprocess.Popen([program.PROGRAM, *self.words(folder, "--join", *more)], env=program.environment(), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def same(self, a, b):
        names = sorted(path.name for path in a.iterdir() if path.is_file())
        self.assertEqual(names, sorted(path.name for path in b.iterdir() if path.is_file()))
        self.assertEqual(filecmp.cmpfiles(a, b, names, shallow=False)[1:], ([], []))
        self.assertFalse((b / ".tidemill/pieces").exists())

    def divided(self, processes, kill_after_s):
        """By so many processes, one of which is killed: the others' words."""
        folder = self.folder / "shared"
        children = [self.start(folder, "--json") for _ in range(processes)]
        time.sleep(kill_after_s)
        os.kill(children[1].pid, signal.SIGKILL)
        said = [child.communicate(timeout=300) for child in children]
        self.assertEqual([child.returncode for child in children], [0, -signal.SIGKILL, *[0] * (processes - 2)], said)
        return folder, [json.loads(out) for (out, _), child in zip(said, children) if child.returncode == 0]

    def without_clock(self, report):
        report.pop("seconds"), report["written"].pop("present_before"), report["written"].pop("folder")
        return report

    def test_killed(self):
        """The others take over what it had in hand; each has the statistics of one process."""
        one = json.loads(self.code(0, *self.words(self.folder / "one", "--json")).stdout)
        folder, reports = self.divided(3, 0.3)
        self.same(self.folder / "one", folder)
        for report in reports:
            self.assertEqual(self.without_clock(report), self.without_clock(dict(one, written=dict(one["written"]))))

    def test_goes_on(self):
        """All are killed; one goes on, without `join` too."""
        folder = self.folder / "shared"
        children = [self.start(folder) for _ in range(2)]
        time.sleep(0.8)
        for child in children:
            child.kill()
            child.communicate()
        self.assertEqual(self.error(2, *self.words(folder, "--join", "--seed", 7))["option"], "data-dir")
        self.code(0, *self.words(folder, "--join"))
        self.code(0, *self.words(self.folder / "one"))
        self.same(self.folder / "one", folder)
        self.code(0, *self.words(folder))
        self.same(self.folder / "one", folder)

    def test_refused(self):
        """What only one process makes; two that do not join."""
        self.assertEqual(self.error(2, *self.words(self.folder / "a", "--join", "--format", "csv"))["option"], "format")
        self.assertEqual(self.error(2, *self.words(self.folder / "a", "--join", "--stats-only"))["option"], "stats-only")
        self.assertEqual(self.error(2, *self.words(self.folder / "a", "--join", "--device", "ref"))["option"], "device")
        self.assertFalse((self.folder / "a").exists())
        child = self.start(self.folder / "b")
        while not (self.folder / "b/manifest.json").exists():
            time.sleep(0.01)
        self.assertIn("another run is writing", self.error(1, *self.words(self.folder / "b"))["message"])
        child.kill()
        child.communicate()


    def test_strangers(self):
        """A folder `.tidemill` that somebody else has made keeps what is in it."""
        notes = self.folder / "a/.tidemill/pieces/notes"
        notes.parent.mkdir(parents=True)
        notes.write_text("mine")
        for more in ((), ("--join",), ("--format", "csv")):
            self.assertIn("not made by this program", self.error(2, *self.words(self.folder / "a", *more))["message"])
            self.assertEqual(notes.read_text(), "mine")

    def test_hundred(self):
        """100 ground truths, 25 shards, by four."""
        if "slow" not in sys.argv:
            self.skipTest("takes a minute")
        self.truths = 100
        self.code(0, *self.words(self.folder / "one"))
        folder, _ = self.divided(4, 2)
        self.same(self.folder / "one", folder)


if __name__ == "__main__":
    program.main("test_joined")
