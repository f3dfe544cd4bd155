#!/usr/bin/env python3
"""The command line itself: words, options, help, exit codes."""
import json
import os
import shutil
import subprocess
import time

import program
from program import Case, run


class Words(Case):
    def test_version_is_quick(self):
        times = []
        for _ in range(15):
            start = time.perf_counter()
            done = run("--version")
            times.append(time.perf_counter() - start)
        self.assertRegex(done.stdout, r"^tidemill \d+\.\d+\.\d+\n$")
        if "ASAN_OPTIONS" not in os.environ:  # a sanitizer's start takes longer
            self.assertLess(min(times), 0.020, "tidemill --version takes too long")

    def test_help(self):
        front = self.code(0, "help").stdout
        for name in ("forecast train", "forecast tune", "forecast update", "forecast evaluate", "forecast backtest", "forecast predict", "forecast explain", "forecast export", "forecast import", "data get", "data list", "selftest"):
            self.assertIn("tidemill " + name, front)
            told = self.code(0, *name.split(), "--help").stdout
            self.assertEqual(told, self.code(0, "help", *name.split()).stdout)
            self.assertIn("tidemill " + name, told)
            self.assertLessEqual(max(map(len, told.splitlines())), 110)
        for name in ("forecast train", "forecast predict", "eis complete", "eis check", "eis drt", "eis train", "eis evaluate", "eis full"):
            for told in (self.code(0, *name.split(), "--help").stdout, self.code(0, "--man", *name.split()).stdout.replace("\\-", "-")):
                self.assertIn("(on by default; --no-plots)", told.replace("\n" + 30 * " ", " "), name)

    def test_nothing_is_usage(self):
        self.assertIn("tidemill", self.code(2).stderr)

    def test_near_command(self):
        self.assertIn('did you mean "forecast train"?', self.code(2, "forecast", "trian").stderr)
        self.assertIn("did you mean", self.error(2, "selftets")["message"])

    def test_near_option(self):
        self.assertIn("--seq-len", self.code(2, "forecast", "train", "--seqlen", "9").stderr)
        self.assertIn("--learning-rate", self.error(2, "forecast", "train", "--learning-rat3", "9")["message"])

    def test_selftest_without_golden_files(self):
        self.assertIn("nodir", self.error(3, "selftest", "--golden", "nodir")["file"])

    def test_missing_value(self):
        self.assertIn("--seq-len", self.code(2, "forecast", "train", "--seq-len").stderr)

    def test_bad_values(self):
        for option, value in (("--seq-len", "nine"), ("--seq-len", "0"), ("--dropout", "1.5"), ("--activation", "tanh"), ("--use-norm", "=x")):
            error = self.error(2, "forecast", "train", "--data", "x.csv", f"{option}={value}")
            self.assertEqual((error["option"], error["column"]), (option[2:], option[2:]))
            self.assertIn(f"`{option[2:]}`", error["message"])

    def test_words_too_many(self):
        self.code(2, "forecast", "train", "one.csv")
        self.code(2, "data", "get")

    def test_hidden_options(self):
        told = self.code(0, "forecast", "train", "--help").stdout
        for name in ("label-len", "dec-in", "c-out", "enc-in", "factor", "d-layers", "num-workers"):
            self.assertNotIn(name, told)

    def test_lists(self):
        told = self.code(0, "forecast", "train", "--compat", "list").stdout
        for name in ("marks-hourly", "val-shuffled", "test-drop-last", "scaler-refit", "ms-last-column", "metrics-scaled", "stop-on-test", "mac"):
            self.assertIn(name, told)
        self.assertIn("see --lradj mac-", told)
        self.assertNotIn("`", told)
        presets = self.code(0, "forecast", "train", "--preset", "list").stdout.split()
        for name in ("etth1-96", "etth2-720", "weather-336", "mac", "mac-m1", "mac-m2", "mac-m3"):
            self.assertIn(name, presets)

    def test_broken_pipe_or_full_disk(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([program.PROGRAM, "--version"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)

    def test_completion(self):
        script = self.code(0, "--completion", "bash").stdout
        self.assertIn("--seq-len", script)
        if shutil.which("bash"):
            subprocess.run(["bash", "-n"], input=script, text=True, check=True)

    def test_man(self):
        self.assertTrue(self.code(0, "--man").stdout.startswith(".TH TIDEMILL 1"))


class Levels(Case):
    """Flag over environment over --config over default; read back from the run's own record."""

    def options_of(self, *words, env=None):
        data = program.write_series(self.folder / "s.csv", rows=120)
        out = self.folder / "run"
        shutil.rmtree(out, ignore_errors=True)
        self.code(0, "forecast", "train", "--data", data, "--out", out, "--d-model", 8, "--d-ff", 8, "--e-layers", 1, "--pred-len", 2,
                  "--batch-size", 8, "--epochs", 1, "--no-plots", "--quiet", *words, env=env)
        return json.loads((out / "run.json").read_text())["options"]

    def test_precedence(self):
        config = self.folder / "config.json"
        config.write_text(json.dumps({"seq_len": 12, "n-heads": 4, "dropout": 0.25}))
        options = self.options_of("--config", config, "--seq_len", 10, env={"TIDEMILL_SEQ_LEN": 11, "TIDEMILL_N_HEADS": 2})
        self.assertEqual((options["seq-len"], options["n-heads"], options["dropout"]), (10, 2, 0.25))

    def test_a_run_is_a_config(self):
        first = self.options_of("--seq-len", 14, "--use_norm", "False")
        again = self.folder / "again.json"
        again.write_text(json.dumps({"format_version": 1, "options": first}))
        second = self.options_of("--config", again)
        self.assertEqual((second["seq-len"], second["use-norm"]), (14, False))

    def test_bad_config(self):
        config = self.folder / "config.json"
        for text, word in (('{"seqlen": 3}', "seq-len"), ('{"seq-len": "x"}', "`seq-len`"), ('{"seq-len": {}}', "seq-len"), ("{", "config"), ("[]", "object"),
                           ("[" * 100000, "depth"), ('{"options": []}', "object"), (" " * (17 << 20), "16 MiB"),
                           ('{"columns": ["%s"]}' % ("a" * 5000), "4095")):
            config.write_text(text)
            self.assertIn(word, self.error(2, "forecast", "train", "--config", config)["message"])
        self.assertIn("nowhere.json", self.error(2, "forecast", "train", "--config", "nowhere.json")["message"])


if __name__ == "__main__":
    program.main("test_cli")
