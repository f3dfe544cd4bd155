#!/usr/bin/env python3
"""What goes wrong among ranks: killed, stopped, slow, cut off, a full disk. All end, soon, one says why, and what was learned is kept."""
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import threading
import time

import program
import ranks
from proxy import Proxy
from ranks import FORECASTER, RanksCase

SOON_S = 10
# Without memory that all ranks of a host see: sums are messages too.
TCP = ["--mca", "pml", "ob1", "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "lo", "--mca", "osc", "^sm"]


class Base(RanksCase):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "run"
        self.words = [*FORECASTER, "--data", self.series, "--batch-size", 24, "--accumulate", 6, "--out", self.out, "--resume", "auto"]

    def start(self, count, *words, **more):
        """Until it has written a checkpoint of its own."""
        state = self.out / "state.safetensors"
        was = state.stat().st_mtime_ns if state.exists() else 0
        child = ranks.start(count, *self.words, *words, **more)
        self.addCleanup(lambda: (child.terminate(), child.wait(20)))
        began = time.monotonic()
        while not state.exists() or state.stat().st_mtime_ns == was:
            self.assertIsNone(child.poll(), child.poll() is None or child.communicate())
            self.assertLess(time.monotonic() - began, 60)
            time.sleep(0.01)
        return child

    def gone(self, child, pids, within_s=SOON_S):
        """All ranks and what started them, in time; what was said by them."""
        began = time.monotonic()
        said = child.communicate(timeout=within_s + 20)[1]
        while any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids.values()) and time.monotonic() - began < within_s:
            time.sleep(0.02)
        self.assertLess(time.monotonic() - began, within_s, said)
        return said

    def one_message(self, said, *words):
        self.assertEqual(len(ranks.ours(said)), 1, said)
        for word in words:
            self.assertIn(word, ranks.ours(said)[0])

    def whole_folder(self):
        """What is there can be read to its end; nothing is half written."""
        self.assertFalse(list(self.out.glob("*.tmp-*")))
        for name in ("model.safetensors", "state.safetensors"):
            if (self.out / name).exists():
                meta, header, data = ranks.tensors(self.out / name)
                self.assertEqual(len(data), max(t["data_offsets"][1] for t in header.values()))
        if (self.out / "metrics.csv").exists():
            self.assertTrue((self.out / "metrics.csv").read_text().endswith("\n"))

    def ends_as(self, count, epochs, whole):
        """The run goes on to the bits of the one that nothing happened to."""
        self.mpirun(0, count, *self.words, "--epochs", epochs)
        self.same_runs(whole, self.out)

    def unbroken(self, epochs):
        whole = self.folder / "whole"
        self.alone(*self.words, "--epochs", epochs, "--out", whole)
        return whole


class Faults(Base):
    def test_killed(self):
        """At 20 random moments, any rank of three; it goes on with one, two or three."""
        epochs, moment, killed = 1000, random.Random(17), 0
        whole = self.unbroken(epochs)
        while killed < 20:
            count = moment.choice((1, 2, 3)) if killed else 3
            child, victim, pids = ranks.start(count, *self.words, "--epochs", epochs), moment.randrange(count), {}
            while len(pids) < count:
                self.assertIsNone(child.poll(), "nothing is left to be killed")
                pids = ranks.rank_pids(child)
            time.sleep(moment.uniform(0, 1.5))
            if child.poll() is not None:  # it came to its end: the next one is killed further
                self.assertEqual(child.returncode, 0, child.communicate()[1])
                self.same_runs(whole, self.out)
                self.out = self.folder / f"run{killed}"
                self.words += ["--out", self.out]
                continue
            os.kill(pids[victim], signal.SIGKILL)
            said = self.gone(child, pids)
            self.assertIn("signal 9", said)
            for line in ranks.ours(said):
                self.assertIn(f"rank {victim} of", line)
            self.whole_folder()
            killed += 1
        self.ends_as(2, epochs, whole)

    def test_stopped(self):
        whole = self.unbroken(1000)
        for victim in range(3):
            child = self.start(3, "--epochs", 1000)
            pids = ranks.rank_pids(child)
            os.kill(pids[victim], signal.SIGSTOP)
            said = self.gone(child, pids)
            self.assertEqual(child.returncode, 1, said)
            self.one_message(said, f"rank {victim} of 3", "has not been heard of for 4 seconds")
            self.whole_folder()
        self.ends_as(2, 1000, whole)

    def test_asked_to_stop(self):
        for number, name in ((signal.SIGTERM, 0), (signal.SIGTERM, 1), (signal.SIGTERM, 2), (signal.SIGINT, "mpirun")):
            child = self.start(3, "--epochs", 100000)
            pids = ranks.rank_pids(child)
            os.kill(child.pid if name == "mpirun" else pids[name], number)
            said = self.gone(child, pids)
            self.one_message(said, "stopped at step", "resumes there")
            self.assertEqual(child.returncode, 1 if name == "mpirun" else 130, said)  # mpirun's own code when it was interrupted
            self.whole_folder()

    def test_full_disk(self):
        epochs = 1000
        whole = self.unbroken(epochs)
        child = self.start(3, "--epochs", epochs)
        pids = ranks.rank_pids(child)
        resource.prlimit(pids[0], resource.RLIMIT_FSIZE, (20000, 20000))
        said = self.gone(child, pids)
        self.assertEqual(child.returncode, 1)
        self.one_message(said, "state.safetensors", "the limit on file sizes")
        self.whole_folder()
        self.ends_as(3, epochs, whole)

    def test_slow(self):
        """One that stands still for three seconds at a time is waited for."""
        epochs = 400
        whole = self.unbroken(epochs)
        child = self.start(3, "--epochs", epochs)
        pids = ranks.rank_pids(child)
        for _ in range(3):
            os.kill(pids[1], signal.SIGSTOP)
            time.sleep(3)
            os.kill(pids[1], signal.SIGCONT)
            time.sleep(0.3)
        said = child.communicate(timeout=600)[1]
        self.assertEqual(child.returncode, 0, said)
        self.same_runs(whole, self.out)

    def test_suspended(self):
        """All stand still for longer than a silent one is given, as a job that is suspended: it goes on."""
        epochs = 400
        whole = self.unbroken(epochs)
        child = self.start(3, "--epochs", epochs)
        pids = ranks.rank_pids(child)
        for number, pause in ((signal.SIGSTOP, 8), (signal.SIGCONT, 0)):
            for pid in pids.values():
                os.kill(pid, number)
            time.sleep(pause)
        said = child.communicate(timeout=600)[1]
        self.assertEqual(child.returncode, 0, said)
        self.same_runs(whole, self.out)

    def test_other_data(self):
        for name in ("a", "b"):
            (self.folder / name).mkdir()
            program.write_series(self.folder / name / "d.csv", rows=360 + (name == "b"))
        words = [str(w) for w in [*FORECASTER, "--data", "d.csv", "--epochs", 1, "--out", self.out]]
        line, environment = ranks.command(1, *words, mpi=["-wdir", self.folder / "a"])
        done = subprocess.run([*line, ":", "-wdir", str(self.folder / "b"), "-n", "2", program.PROGRAM, *words], env=environment, capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.one_message(done.stderr, "rank 1 of 3", "the sha256 of the data", "all ranks must have the same")

    def test_alone_each(self):
        """Two processes that mpirun started and that are told to work alone: two runs."""
        words = [str(w) for w in [*FORECASTER, "--data", self.series, "--epochs", 1, "--no-ranks"]]
        line, environment = ranks.command(1, *words, "--out", self.folder / "a")
        done = subprocess.run([*line, ":", "-n", "1", program.PROGRAM, *words, "--out", str(self.folder / "b")], env=environment, capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("test, "), 2)
        self.same_runs(self.folder / "a", self.folder / "b")


class Network(Base):
    """By TCP through a proxy."""

    def through(self, proxy, epochs, count=3):
        redirect = ["-x", f"LD_PRELOAD={os.environ['RANKS_REDIRECT']}", "-x", f"REDIRECT_PORT={proxy.port}"]
        self.addCleanup(proxy.close)
        return self.start(count, "--epochs", epochs, mpi=[*TCP, *redirect])

    def test_delays(self):
        """Delays of up to 50 ms a piece, and small pieces, change no bit."""
        whole = self.unbroken(2)
        for number, proxy in enumerate((Proxy(delay_s=0.05, piece=1 << 14), Proxy(piece=100))):
            self.out = self.folder / f"run{number}"
            self.words += ["--out", self.out]
            child = self.through(proxy, 2)
            said = child.communicate(timeout=600)[1]
            self.assertEqual(child.returncode, 0, said)
            self.assertGreater(proxy.bytes, 1000000, "nothing went through the proxy")
            self.same_runs(whole, self.out)

    def test_black_hole(self):
        proxy = Proxy()
        child = self.through(proxy, 100000)
        pids = ranks.rank_pids(child)
        time.sleep(1)
        proxy.hole = True
        said = self.gone(child, pids)
        self.assertEqual(child.returncode, 1, said)
        self.one_message(said, "of 3", "has not been heard of for 4 seconds")
        self.whole_folder()
        proxy.hole = False

    def test_cut(self):
        """A connection between two messages is made anew, and nothing is lost; else all end. Cut until they do."""
        for reset in (False, True):
            proxy = Proxy()
            child = self.through(proxy, 100000)
            pids = ranks.rank_pids(child)
            ended = threading.Event()
            threading.Thread(target=lambda: (child.wait(), ended.set()), daemon=True).start()
            cuts = 0
            while not ended.wait(SOON_S if cuts else 1) and cuts < 20:
                proxy.cut(cuts, reset)
                cuts += 1
            self.assertTrue(ended.is_set(), f"still there after {cuts} cuts")
            said = self.gone(child, pids)
            self.assertEqual(child.returncode, 1, said)
            self.assertEqual(len(ranks.ours(said)), 1, said)
            self.assertRegex(ranks.ours(said)[0], "rank [0-2] of 3 .*(waits for a message that is lost|has not been heard of|MPI failed)")
            self.whole_folder()


if __name__ == "__main__":
    if ranks.missing():
        print(f"skipped: {ranks.missing()}")
        sys.exit(77)
    program.main("test_ranks_slow")
