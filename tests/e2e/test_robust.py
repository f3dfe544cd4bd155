#!/usr/bin/env python3
"""What a training run survives: kill -9 at any moment, a full disk, a second writer, too little memory. With the argument
`slow`: more moments."""
import json
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import time
import unittest

import program
from program import Case, SMALL

SLOW = "slow" in sys.argv[1:]
WORDS = [*SMALL, "--epochs", "40", "--patience", "0", "--threads", "1", "--no-plots"]
TIMES = {"epoch_seconds", "train_seconds", "seconds", "metrics_bytes"}  # what a clock decides, and the length of what it wrote


def read_safetensors(path):
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + size])
    return header.pop("__metadata__", {}), header, raw[8 + size:]


def state_of(run):
    metadata, header, data = read_safetensors(run / "state.safetensors")
    return {k: v for k, v in metadata.items() if k not in TIMES}, header, data


def metrics_of(run):
    """Every column but seconds and rss_mib."""
    return [line.split(",")[:6] for line in (run / "metrics.csv").read_text().splitlines()]


class Robust(Case):
    def setUp(self):
        super().setUp()
        self.data = program.write_series(self.folder / "series.csv")

    def words(self, out, *more):
        return ["forecast", "train", "--data", self.data, "--out", out, *WORDS, *more]

    def start(self, out, *more, **popen):
        return subprocess.Popen([program.PROGRAM, *map(str, self.words(out, *more))], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=program.environment(), **popen)

    def same_run(self, a, b):
        self.assertEqual((a / "model.safetensors").read_bytes(), (b / "model.safetensors").read_bytes())
        self.assertEqual(state_of(a), state_of(b))
        self.assertEqual(metrics_of(a), metrics_of(b))


class Kill(Robust):
    def test_kill_at_random_moments(self):
        """One run, killed again and again, and each time resumed, ends as one that was never stopped."""
        whole, parts = self.folder / "whole", self.folder / "parts"
        began = time.monotonic()
        self.code(0, *self.words(whole))
        length = time.monotonic() - began
        moment = random.Random(5)
        killed, from_checkpoint, wanted = 0, 0, 24 if SLOW else 6
        for _ in range(10 * wanted):
            if killed == wanted:
                break
            had_checkpoint = (parts / "state.safetensors").exists()
            child = self.start(parts, "--resume", "auto", "--json")
            time.sleep(moment.uniform(0, length / 2))  # long enough to leave checkpoints, short enough to need several
            child.kill()
            said, _ = child.communicate()
            if child.returncode == 0:  # it was done: anew
                self.assertEqual(json.loads(said)["resumed_from_step"] > 0, had_checkpoint)
                self.same_run(whole, parts)
                subprocess.run(["rm", "-r", parts], check=True)
                continue
            killed += 1
            from_checkpoint += had_checkpoint
            self.assertEqual(child.returncode, -signal.SIGKILL)
        self.assertEqual(killed, wanted)
        self.assertGreaterEqual(from_checkpoint, wanted // 4)
        had_checkpoint = (parts / "state.safetensors").exists()
        result = json.loads(self.code(0, *self.words(parts, "--resume", "auto", "--json")).stdout)
        self.assertEqual(result["resumed_from_step"] > 0, had_checkpoint)
        self.same_run(whole, parts)
        left = [p.name for p in (*parts.iterdir(), *(parts / ".tidemill").iterdir()) if ".tmp-" in p.name or p.name.startswith("t-")]
        self.assertFalse(left, "what a killed process had half written is swept away")

    def test_second_writer(self):
        """Two writers of one folder: the second is refused. A lock that a killed one left does not count."""
        out = self.folder / "run"
        first = self.start(out, "--epochs", "100000")
        for line in first.stderr:
            if line.startswith("epoch"):
                break
        self.assertIn("another process", self.error(2, *self.words(out, "--epochs", "100000", "--resume", "auto"))["message"])
        self.assertIn("another process", self.error(2, *self.words(out, "--overwrite"))["message"])
        first.kill()
        first.communicate()
        self.assertTrue((out / ".tidemill" / "lock").exists())
        self.code(0, *self.words(out, "--overwrite", "--epochs", "1"))


class Full(Robust):
    def limited(self, size, *words):
        """A run that may write no file larger than `size` bytes."""
        return subprocess.run([program.PROGRAM, *map(str, words)], capture_output=True, text=True, env=program.environment(),
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))

    def test_full_at_several_points(self):
        whole = self.folder / "whole"
        self.code(0, *self.words(whole))
        sizes = {p.name: p.stat().st_size for p in whole.iterdir()}
        # The state's size varies by some digits of its metadata (seconds): well below it.
        for i, size in enumerate((1, sizes["run.json"] - 1, sizes["model.safetensors"] - 1, sizes["state.safetensors"] - 4096)):
            with self.subTest(size):
                out = self.folder / f"run{i}"
                done = self.limited(size, *self.words(out))
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr.splitlines()[-1], r"tidemill: .*cannot write")
                # The model grows when it is scored, by the tables of its intervals: until then there is a whole run to go on with.
                trained = {"model.safetensors", "state.safetensors"} if size == sizes["model.safetensors"] - 1 else set()
                for path in (p for p in out.iterdir() if p.is_file() and p.name not in trained):  # nothing half-written
                    self.assertIn(path.name, ("run.json", "metrics.csv"))
                    json.loads(path.read_text()) if path.name == "run.json" else self.assertRegex(path.read_text(), r"^(.*\n)*$")
                self.code(0, *self.words(out, "--resume", "auto"))
                self.same_run(whole, out)

    def test_checkpoint_survives(self):
        """A disk that fills up in the middle: the checkpoint before stays, and the run goes on from it."""
        whole, out = self.folder / "whole", self.folder / "run"
        self.code(0, *self.words(whole))
        child = self.start(out)
        for line in child.stderr:
            if line.startswith("epoch  3"):
                break
        child.send_signal(signal.SIGTERM)
        child.communicate()
        self.assertEqual(child.returncode, 130)
        before = (out / "state.safetensors").read_bytes()
        done = self.limited((out / "metrics.csv").stat().st_size + 9, *self.words(out, "--resume", "auto"))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual((out / "state.safetensors").read_bytes(), before)
        self.assertEqual({p.name for p in out.iterdir()}, {".tidemill", "run.json", "metrics.csv", "state.safetensors", "model.safetensors"})
        self.assertGreater(json.loads(self.code(0, *self.words(out, "--resume", "auto", "--json")).stdout)["resumed_from_step"], 0)
        self.same_run(whole, out)

    def test_no_place(self):
        for out in ("/proc/nowhere/run", self.data, self.data / "run"):
            self.error(1, *self.words(out))

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_no_permission(self):
        locked = self.folder / "locked"
        locked.mkdir(mode=0o555)
        self.error(1, *self.words(locked / "run"))


class Memory(Robust):
    BIG = ("--d-model", 128, "--d-ff", 128, "--batch-size", 128, "--epochs", 1)

    def test_batch_that_fits(self):
        out = self.folder / "run"
        message = self.error(1, *self.words(out, *self.BIG, "--memory-limit-mib", 5))["message"]
        self.assertFalse(out.exists(), "nothing is written")
        fits = re.search(r"`batch-size` 128 needs ([\d.]+) MiB.* 5.0 MiB .*`batch-size` (\d+) would fit", message)
        self.assertTrue(fits, message)
        self.code(0, *self.words(out, *self.BIG, "--memory-limit-mib", 5, "--batch-size", fits[2]))
        self.code(0, *self.words(out, *self.BIG, "--memory-limit-mib", int(float(fits[1])) + 1, "--overwrite"))

    def test_nothing_fits(self):
        for limit in (1, 2):
            message = self.error(1, *self.words(self.folder / "run", *self.BIG, "--d-model", 512, "--memory-limit-mib", limit))["message"]
            self.assertIn("no batch fits", message)

    @unittest.skipIf("ASAN_OPTIONS" in os.environ, "the address sanitizer needs the address space itself")
    def test_no_address_space(self):
        """The system itself refuses: a sentence, no crash."""
        for mib in (40, 64, 100, 126, 132, 140):
            limit = mib << 20
            done = subprocess.run([program.PROGRAM, *map(str, self.words(self.folder / "run", "--d-model", 512, "--d-ff", 2048, "--epochs", 1, "--overwrite"))],
                                  capture_output=True, text=True, env=program.environment(),
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
            self.assertIn(done.returncode, (0, 1, 127), f"{mib} MiB: {done.returncode} {done.stderr}")  # 127: the loader itself
            if done.returncode == 1:
                self.assertRegex(done.stderr.splitlines()[-1], "memory|MiB")


if __name__ == "__main__":
    program.main("test_robust")
