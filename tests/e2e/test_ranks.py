#!/usr/bin/env python3
"""Training that mpirun starts: the bits of one process, runs that go on with other ranks, and what is refused, told once."""
import concurrent.futures
import json
import os
import signal
import subprocess
import sys

import program
import ranks
from ranks import FORECASTER, KNOWN, PREDICTOR, RanksCase


class Bits(RanksCase):
    def compare(self, counts, words):
        for count in counts:
            self.mpirun(0, count, *words, "--out", self.folder / f"ranks{count}")
            self.alone(*words, *(["--accumulate", count] if count > 1 else []), "--out", self.folder / f"parts{count}")
            self.same_runs(self.folder / f"ranks{count}", self.folder / f"parts{count}")

    def test_forecaster(self):
        self.compare((1, 2, 3, 4), [*FORECASTER, "--data", self.series, "--epochs", 2])

    def test_predictor(self):
        self.compare((1, 2, 3, 4), PREDICTOR)

    def test_known(self):
        self.alone("eis", "generate", "--data-dir", self.folder / "data", "--n-ground-truths", 4, "--points", 4, "-q")
        self.compare((2, 3), [*KNOWN, "--data-dir", self.folder / "data"])


class Resume(RanksCase):
    def test_other_counts(self):
        """Where the parts stay, the bits stay; where they cannot, that is said."""
        words = [*FORECASTER, "--data", self.series, "--batch-size", 24]
        parts = [*words, "--accumulate", 12, "--epochs", 60]
        self.alone(*parts, "--out", self.folder / "whole")
        out = self.folder / "run"
        for count, rank in ((3, 2), (2, 1), (4, 0)):
            child = ranks.start(count, *parts, "--out", out, "--resume", "auto", "--progress", "json")
            said = self.stop(child, 3, rank)
            self.assertEqual(child.returncode, 130, said)
            self.assertEqual(sum('"failure"' in line for line in said.splitlines()), 1)
            self.assertRegex(said, "stopped at step [0-9]+; .*resume.* resumes there")
            self.assertNotIn("so from here on its bits", said)
        self.mpirun(0, 1, *parts, "--out", out, "--resume", "auto")
        self.same_runs(self.folder / "whole", out)

    def stop(self, child, epochs, rank):
        """Asks one rank to stop when so many more epochs are done; what was said."""
        said, seen = [], 0
        for line in child.stderr:
            said.append(line)
            seen += '"stage":"epoch"' in line
            if seen == epochs:
                os.kill(ranks.rank_pids(child)[rank], signal.SIGTERM)
                break
        said.append(child.communicate(timeout=60)[1])
        return "".join(said)

    def test_other_parts(self):
        out = self.folder / "run"
        words = [*FORECASTER, "--data", self.series, "--out", out]
        self.mpirun(0, 3, *words, "--epochs", 1)
        done = self.mpirun(0, 2, *words, "--epochs", 1, "--resume", "auto")
        self.assertIn("was started with batches in 3 parts and goes on with 2", done.stderr)


class Refused(RanksCase):
    def refused(self, code, said, count, *words, **more):
        done = self.mpirun(code, count, *words, **more)
        self.assertEqual(len(ranks.ours(done.stderr)), 1, done.stderr)
        self.assertIn(said, ranks.ours(done.stderr)[0])
        self.assertEqual(done.stdout, "")
        return done

    def test_refusals(self):
        """Several at a time: mpirun takes a second to end the others when one has ended."""
        words = [*FORECASTER, "--data", self.series, "--epochs", 1, "--out", self.folder / "run"]
        cases = [
            (2, "which ranks cannot share", 3, *words, "--arch", "auto"),
            (2, "goes by clocks", 3, *words, "--compile-mode", "max-autotune"),
            (2, "--accumulate 4 would do", 2, *words, "--accumulate", 3, "--batch-size", 4),
            (2, "another number of ranks", 3, *words, "--batch-size", 8),
            (2, "--epoch-count", 3, *words, "--epoch-count", 3),
            (2, "standard input, which only rank 0 of 3 has", 3, *words, "--data", "-"),
            (3, "no-such.csv", 3, *words, "--data", "no-such.csv"),
            (2, "forecast predict is work for one process, and 3 were started", 3, "forecast", "predict", self.folder / "run"),
            (2, "goes by clocks", 2, *PREDICTOR, "--compile-mode", "max-autotune", "--out", self.folder / "run"),
        ]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda case: self.refused(*case), cases))
        self.refused(4, "/no/such/plug-in.so", 3, *words, env={"TIDEMILL_MPI": "/no/such/plug-in.so"})
        self.assertFalse((self.folder / "run").exists())

    def test_alone(self):
        """Told to work alone each of them does, and talks: here they refuse each other's folder."""
        words = [*FORECASTER, "--data", self.series, "--epochs", 1, "--no-ranks"]
        env = {"PMI_RANK": 1, "PMI_SIZE": 2}
        done = self.code(0, *words, "--out", self.folder / "one", env=env)
        self.assertIn("this model", done.stdout)
        self.assertNotIn("ranks", done.stderr)
        env = {"SLURM_PROCID": 0, "SLURM_STEP_NUM_TASKS": 2}
        self.assertIn("this model", self.code(0, *words, "--out", self.folder / "two", env=env).stdout)

    def test_strangers(self):
        """Started like several, by something that this MPI does not know: each would train alone, in one folder."""
        for env, starter in (({"PMI_RANK": 0, "PMI_SIZE": 2}, "mpirun"), ({"SLURM_PROCID": 0, "SLURM_STEP_NUM_TASKS": 2}, "srun")):
            done = self.code(4, *FORECASTER, "--data", self.series, "--out", self.folder / "no", env={**env, "TIDEMILL_MPI": ranks.PLUGIN})
            self.assertIn(f"{starter} started this as one of 2 processes, but MPI finds 1", done.stderr)
        self.assertFalse((self.folder / "no").exists())


class Told(RanksCase):
    def test_from_c(self):
        """Several trainings, one of them refused, in one process each; MPI is ended in order."""
        line, environment = ranks.command(3, self.series, self.folder / "a", self.folder / "b")
        line[line.index(program.PROGRAM)] = os.environ["RANKS_HANDLES"]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.same_runs(self.folder / "a", self.folder / "b")

    def test_once(self):
        words = [*FORECASTER, "--data", self.series, "--epochs", 1]
        done = self.mpirun(0, 3, *words, "--out", self.folder / "a", "--json", "--progress", "json")
        self.assertEqual(json.loads(done.stdout)["command"], "forecast train")
        events = [json.loads(line) for line in done.stderr.splitlines()]
        for event in ("begin", "end"):
            self.assertEqual(sum(e["event"] == event for e in events), 1)
        self.assertEqual(events[-1]["exit"], 0)
        self.assertEqual(sum("3 ranks on 1 host by MPI" in e.get("message", "") for e in events), 1)
        done = self.mpirun(0, 3, *words, "--out", self.folder / "b")
        self.assertEqual(done.stdout.count("this model          0"), 1)
        self.assertEqual(done.stderr.count("epoch  1/1"), 1)
        done = self.mpirun(2, 3, *words, "--out", self.folder / "b", "--json")
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "usage")


if __name__ == "__main__":
    if ranks.missing():
        print(f"skipped: {ranks.missing()}")
        sys.exit(77)
    program.main("test_ranks")
