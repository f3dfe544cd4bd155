#!/usr/bin/env python3
"""The same mistake has the same exit code in every command: 3 for an input that is not there or no good, 2 for usage."""
import os
import program
from program import Case

# Commands with a place for a file; FILE is the file in question.
INPUTS = ("forecast train --data FILE --out made", "forecast evaluate --data FILE", "forecast evaluate --model FILE --data series.csv", "forecast backtest FILE --data series.csv",
          "forecast predict FILE", "forecast explain FILE", "forecast explain FILE --data series.csv", "forecast update FILE --data series.csv --out made", "forecast export FILE --output made.onnx", "forecast import FILE --n-heads 8 --data series.csv --out made", "explain FILE", "eis complete --spectrum FILE", "eis complete --known Rsh=460 --method network --model FILE",
          "eis evaluate FILE", "eis check FILE", "eis drt FILE", "eis fit FILE", "eis batch FILE", "eis generate --stats-only --ground-truths FILE", "eis --mode inference --model FILE --known Rsh=460",
          "selftest --golden FILE")
COMMANDS = ("forecast", "forecast train", "forecast evaluate", "forecast backtest", "forecast predict", "forecast explain", "forecast update", "forecast export", "forecast import", "explain", "eis", "eis complete", "eis check", "eis drt", "eis generate",
            "eis train", "eis evaluate", "eis fit", "eis batch", "eis full", "eis simulate", "eis convert", "data list", "data get", "data make", "machine", "bench", "selftest")


# What computes, or takes up what does: with a device that is not there nothing is read before that is said.
COMPUTING = ("forecast --benchmark-only", "eis complete", "eis generate", "eis train", "eis evaluate", "eis fit series.csv", "eis batch series.csv", "eis full", "eis --mode full",
             "eis --mode train", "machine", "bench", "selftest")


class Exits(Case):
    def setUp(self):
        super().setUp()
        program.write_series(self.folder / "series.csv", rows=120)
        (self.folder / "folder").mkdir()
        (self.folder / "empty").touch()
        (self.folder / "junk").write_bytes(bytes(range(256)) * 4)
        (self.folder / "locked").write_text("1")
        (self.folder / "locked").chmod(0)

    def test_bad_inputs(self):
        names = ["nofile", "folder", "empty", "junk", "empty/inside"] + ([] if os.geteuid() == 0 else ["locked"])
        for words in INPUTS:
            for name in names:
                with self.subTest(f"{words}: {name}"):
                    self.code(3, *words.replace("FILE", name).split(), cwd=self.folder)
        self.assertFalse((self.folder / "made").exists())

    def test_usage(self):
        for words in COMMANDS:
            for wrong in (["--no-such-option"], ["--no-such-option", "--help"], ["a"] * 5000):
                with self.subTest(f"{words} {wrong}"):
                    self.code(2, *words.split(), *wrong, cwd=self.folder)
        for words in ("forecast train --epochs x", "forecast predict run --horizon-x", "forecast export run --format x", "forecast import a.pth --n-heads x", "eis complete --noise x", "eis fit s.csv --weights x", "eis batch s.csv --decimal x", "eis drt s.csv --lambda x", "eis train --n_epochs x", "eis generate --n_ground_truths x",
                      "eis evaluate run --test-spectra x", "eis simulate s.csv --noise x", "eis full --n_epochs x", "data make tide t.csv --rows x", "machine --measure=x",
                      "bench --seconds x", "explain run --batch-size x", "eis --mode x", "data make sun t.csv", "data get no-such-series"):
            with self.subTest(words):
                self.code(2, *words.split(), cwd=self.folder)

    def test_device(self):
        """Every command that computes takes --device, in help with what there is; 4 if that is not there."""
        takes = [words for words in COMMANDS if "--device DEVICE" in self.code(0, *words.split(), "--help").stdout]
        self.assertEqual(takes, ["forecast", "forecast train", "forecast evaluate", "forecast backtest", "forecast predict", "forecast explain", "forecast update", "forecast import", "explain", "eis", "eis complete", "eis generate", "eis train", "eis evaluate",
                                 "eis fit", "eis batch", "eis full", "machine", "bench", "selftest"])
        for words in takes:
            self.assertIn("cpu, ref, check", " ".join(self.code(0, *words.split(), "--help").stdout.split()))
        self.code(0, "forecast", "train", "--data", "series.csv", "--out", "run", "--no-plots", *program.SMALL, cwd=self.folder)
        run = ("forecast train --data series.csv --out other", "forecast evaluate --model run --data series.csv", "forecast backtest run --data series.csv", "forecast predict run", "forecast explain run", "forecast update run --data series.csv --rows 5 --out other",
               "forecast import absent.pth --n-heads 8 --data series.csv --out other", "explain run")
        for words in (*COMPUTING, *run):
            with self.subTest(words):
                error = self.error(4, *words.split(), "--device", "chekc", cwd=self.folder)
                self.assertEqual(error["code"], "device")
                self.assertRegex(error["message"], r"^unknown device 'chekc'; available: cpu, ref, check(, \w+)*; did you mean 'check'\?$")
        self.assertFalse((self.folder / "other").exists())
        self.error(4, "selftest", env={"TIDEMILL_DEVICE": "ref:1"})

    def test_no_word(self):
        for words in ("", "forecast", "eis", "data", "no-such-command", "forecast predict", "forecast explain", "forecast export", "forecast import", "explain", "eis check", "eis drt", "eis simulate", "data get",
                      "data make"):
            with self.subTest(words):
                self.code(2, *words.split(), cwd=self.folder)


if __name__ == "__main__":
    program.main("test_exits")
