#!/usr/bin/env python3
"""Signals: while gnuplot draws they are acted on at once, and leave no half file and no child; a closed terminal is a SIGTERM."""
import random
import signal
import subprocess
import time

import program
from program import Case, SMALL


class Signals(Case):
    def setUp(self):
        super().setUp()
        self.data = program.write_series(self.folder / "series.csv")
        self.sleeper = self.folder / "sleeper"
        self.sleeper.write_text(f"#!/bin/sh\ntouch {self.folder}/drawing\n(sleep 4; touch {self.folder}/survived) &\nwait\n")
        self.sleeper.chmod(0o755)

    def interrupted(self, number, *words):
        """The program is sent one signal as soon as its gnuplot runs; what it said."""
        child = subprocess.Popen([program.PROGRAM, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=program.environment(TIDEMILL_GNUPLOT=self.sleeper))
        for _ in range(600):
            if (self.folder / "drawing").exists():
                break
            time.sleep(0.05)
        self.assertTrue((self.folder / "drawing").exists(), "gnuplot was never started")
        (self.folder / "drawing").unlink()
        child.send_signal(number)
        began = time.monotonic()
        said = child.communicate(timeout=20)
        self.assertEqual(child.returncode, 130, said)
        self.assertLess(time.monotonic() - began, 3)
        self.assertIn(".svg", said[1])
        return said

    def test_while_drawing(self):
        run = self.folder / "run"
        self.assertIn("forecast evaluate", self.interrupted(signal.SIGTERM, "forecast", "train", "--data", self.data, "--out", run, *SMALL, "--threads", 1)[1])
        self.assertTrue((run / "model.safetensors").exists())
        for number in (signal.SIGINT, signal.SIGHUP):
            out, err = self.interrupted(number, "forecast", "predict", run)
            self.assertEqual(len(out.splitlines()), 5, "the forecast is printed before it is drawn")
            self.assertIn("complete", err)
        spectrum = self.folder / "s.csv"
        self.code(0, "eis", "simulate", spectrum)
        self.interrupted(signal.SIGTERM, "eis", "complete", "--known", "Rsh=460,Ra=4.82k,Rb=2.21k", "--spectrum", spectrum, "--out", self.folder / "answer")
        self.assertFalse(list(self.folder.glob("**/*.tmp-*")))
        self.assertFalse(list(self.folder.glob("**/*.svg")))
        time.sleep(4.5)
        self.assertFalse((self.folder / "survived").exists(), "what gnuplot started is ended with it")

    def test_closed_terminal(self):
        """One SIGHUP, and the second that a shell sends: a checkpoint all the same."""
        run = self.folder / "run"
        child = subprocess.Popen([program.PROGRAM, *map(str, ("forecast", "train", "--data", self.data, "--out", run, *SMALL, "--epochs", 100000, "--patience", 0,
                                                              "--no-plots", "--threads", 1, "--verbose"))], stderr=subprocess.PIPE, text=True, env=program.environment())
        for line in child.stderr:
            if line.startswith("epoch  2"):
                break
        child.send_signal(signal.SIGHUP)
        child.send_signal(signal.SIGHUP)
        child.communicate(timeout=30)
        self.assertEqual(child.returncode, 130)
        self.assertTrue((run / "state.safetensors").exists())

    def test_while_computing(self):
        """At any moment of a matrix product: a signal's frame must not land on what the thread works with."""
        moment = random.Random(3)
        for number in range(30):
            child = subprocess.Popen([program.PROGRAM, "bench", "--cases", "eis512", "--seconds", "0.01", "--rounds", "1", "--threads", "1"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=program.environment())
            time.sleep(moment.uniform(0.02, 0.25))
            child.send_signal(moment.choice((signal.SIGTERM, signal.SIGINT)))
            said = child.communicate(timeout=30)[1]
            self.assertIn(child.returncode, (0, 130, -signal.SIGTERM, -signal.SIGINT), said)

    def test_ignored_under_nohup(self):
        run = self.folder / "run"
        child = subprocess.Popen([program.PROGRAM, *map(str, ("forecast", "train", "--data", self.data, "--out", run, *SMALL, "--epochs", 100000, "--patience", 0,
                                                              "--no-plots", "--threads", 1, "--verbose"))], stderr=subprocess.PIPE, text=True, env=program.environment(),
                                 preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        epochs = 0
        for line in child.stderr:
            epochs += line.startswith("epoch")
            if epochs == 1:
                child.send_signal(signal.SIGHUP)
            if epochs == 30:
                break
        self.assertIsNone(child.poll())
        child.kill()
        child.communicate()


if __name__ == "__main__":
    program.main("test_signals")
