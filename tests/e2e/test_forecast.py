#!/usr/bin/env python3
"""tidemill forecast from outside: a run's files, its score, prediction, resuming, and what bad input gets."""
import csv
import datetime
import gzip
import io
import json
import math
import os
import pathlib
import re
import shlex
import shutil
import signal
import struct
import subprocess
import time
import unittest
import zipfile

import program
from program import Case, SMALL


class Train(Case):
    def setUp(self):
        super().setUp()
        self.data = program.write_series(self.folder / "series.csv")
        self.out = self.folder / "run"

    def train(self, *words, expected=0, **more):
        return self.code(expected, "forecast", "train", "--data", self.data, "--out", self.out, *SMALL, *words, **more)

    def test_time_limit(self):
        """The schedule ends within the time, and so does its rate; what is laid out is resumed."""
        began = time.monotonic()
        done = json.loads(self.train("--epochs", 1000000, "--patience", 0, "--lradj", "cosine", "--max-minutes", 0.05, "--no-plots", "--json").stdout)
        self.assertLess(time.monotonic() - began, 20)  # 3 s, and what starting and scoring take on a busy machine
        self.assertTrue(0 < done["epochs"] < 1000000)
        again = json.loads(self.train("--epochs", 1000000, "--patience", 0, "--lradj", "cosine", "--max-minutes", 0.05, "--no-plots", "--json",
                                      "--resume", "must").stdout)
        self.assertEqual(again["resumed_from_step"], done["steps"])

    def test_resume_of_an_older_version(self):
        """What run.json cannot say, as the option came later, is as if it was not given."""
        self.train()
        settings = json.loads((self.out / "run.json").read_text())
        for later in ("date-order", "thousands", "na", "skip-rows", "sort", "tz", "aggregate", "val", "test", "refit", "season"):
            settings["options"].pop(later, None)
        (self.out / "run.json").write_text(json.dumps({**settings, "version": "0.1.0"}))
        self.train("--resume", "must")
        self.assertIn("`date-order`", self.error(2, "forecast", "train", "--data", self.data, "--out", self.out, *SMALL, "--resume", "must",
                                                 "--date-order", "dmy")["message"])

    def test_run_folder_and_json(self):
        result = json.loads(self.train("--json").stdout)
        for key in ("test", "epochs", "best_epoch", "wall_s", "train_s", "step_ms", "peak_rss_mib", "parameters", "device", "threads",
                    "resumed_from_step", "schema_version"):
            self.assertIn(key, result)
        self.assertGreater(result["test"]["mse"], 0)
        self.assertGreater(result["step_ms"]["median"], 0)
        for name in ("run.json", "model.safetensors", "state.safetensors", "metrics.csv"):
            self.assertTrue((self.out / name).stat().st_size, name)
        with open(self.out / "metrics.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(list(rows[0]), ["epoch", "step", "lr", "train_loss", "val_loss", "grad_norm", "seconds", "rss_mib"])
        self.assertEqual(len(rows), 2)
        self.assertFalse([p for p in self.out.iterdir() if p.name != ".tidemill" and p.suffix not in (".json", ".safetensors", ".csv", ".svg")])

    def test_precision(self):
        large = ["--d-model", "64", "--d-ff", "64", "--n-heads", "2", "--batch-size", "16", "--epochs", "1", "--no-plots", "--precision"]
        done = self.train("--json", "--device", "check", *large, "f16")
        self.assertEqual(json.loads(done.stdout)["precision"], "f16")
        with open(self.out / "metrics.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual((float(rows[0]["loss_scale"]), rows[0]["skipped_steps"]), (65536, "0"))
        predicted = json.loads(self.code(0, "forecast", "predict", "--model", self.out, "--json", "--no-plots").stdout)
        self.assertTrue(predicted["time"])
        env = {"TIDEMILL_ISA": "baseline"}
        done = self.train("--json", "--overwrite", *large, "bf16", env=env)
        self.assertEqual(json.loads(done.stdout)["precision"], "f32")
        self.assertEqual(done.stderr.count("warning: in f32"), 1)
        error = self.error(4, "forecast", "train", "--data", self.data, "--out", self.out, "--overwrite", "--strict", *SMALL, *large, "bf16", env=env)
        self.assertIn("precision", error["message"])

    def test_talk(self):
        done = self.train()
        lines = done.stderr.splitlines()
        for word in ("cpu", "thread", "f32", "parameters", "MiB"):
            self.assertIn(word, lines[0])
        epochs = [line for line in lines if line.startswith("epoch")]
        self.assertEqual(len(epochs), 2, "one plain line an epoch without a terminal")
        for line in epochs:
            self.assertGreater(float(re.search(r"(\d+) MiB", line)[1]), 1, line)
        self.assertNotIn("\r", done.stderr)
        self.assertNotIn("\033", done.stderr)
        for word in ("this model", "last value", "seasonal naive", "linear", str(self.out)):
            self.assertIn(word, done.stdout)

    def test_plots(self):
        """The command draws unless it is told not to, in whichever way."""
        gnuplot, config = self.folder / "gnuplot", self.folder / "config.json"
        gnuplot.write_text("#!/bin/sh\necho '<svg></svg>'\n")
        gnuplot.chmod(0o700)
        config.write_text('{"plots": false}')
        drawn = {"loss.svg", "horizon.svg", "sample.svg", "forecast-plot.svg"}
        for words, env, expected in (([], {}, drawn), (["--no-plots"], {}, set()), (["--plots=false"], {}, set()), (["--config", config], {}, set()),
                                     ([], {"TIDEMILL_PLOTS": "no"}, set()), (["--config", config, "--plots"], {}, drawn)):
            env["TIDEMILL_GNUPLOT"] = gnuplot
            self.train("--overwrite", *words, env=env)
            self.code(0, "forecast", "predict", self.out, *words, env=env)
            self.assertEqual({path.name for path in self.out.glob("*.svg")}, expected, (words, env))
            self.assertEqual(json.loads((self.out / "run.json").read_text())["options"]["plots"], bool(expected))
            for name in expected:
                self.assertTrue((self.out / name).with_suffix(".csv").exists(), name)
            if expected:
                self.assertRegex((self.out / "sample.csv").read_text(), r"^x,95 % \(low\),95 % \(high\),80 % \(low\),80 % \(high\),past,forecast,truth\n")

    @unittest.skipUnless(shutil.which("gnuplot"), "no gnuplot here")
    def test_plots_are_svg(self):
        self.train()
        self.assertEqual({path.name for path in self.out.glob("*.svg")}, {"loss.svg", "horizon.svg", "sample.svg"})
        for svg in self.out.glob("*.svg"):
            self.assertTrue(svg.read_text().rstrip().endswith("</svg>"))

    def test_without_gnuplot(self):
        done = self.train(env={"TIDEMILL_GNUPLOT": "no-such-program"})
        self.assertEqual(done.stderr.count("gnuplot"), done.stderr.count("gnuplot-nox"), "one line, with the install line")
        self.assertEqual(list(self.out.glob("*.svg")), [])
        self.assertGreaterEqual(len(list(self.out.glob("*.csv"))), 4)

    def test_existing_run(self):
        self.train("--quiet", "--no-plots")
        error = self.error(2, "forecast", "train", "--data", self.data, "--out", self.out, *SMALL)
        self.assertIn("`overwrite`", error["message"])
        self.train("--quiet", "--no-plots", "--overwrite")

    def test_same_seed_same_bits(self):
        models = []
        for threads in (1, 2):
            self.train("--quiet", "--no-plots", "--overwrite", "--threads", threads)
            models.append((self.out / "model.safetensors").read_bytes())
        self.assertEqual(models[0], models[1])

    def test_resume_of_an_earlier_version(self):
        """A run.json that does not know the options that came later."""
        self.train()
        path = self.out / "run.json"
        run = json.loads(path.read_text())
        for name in ("date-order", "sort", "tz", "thousands", "na", "skip-rows", "aggregate", "val", "test", "refit", "season"):
            del run["options"][name]
        path.write_text(json.dumps(run))
        self.train("--resume", "auto")
        self.assertIn("`sort`", self.error(2, "forecast", "train", "--data", self.data, "--out", self.out, *SMALL, "--resume", "auto", "--sort")["message"])

    def test_resume_on_another_device(self):
        """It may, and says so: bits are promised on one device."""
        self.train("--max-minutes", "0")
        words = ["forecast", "train", "--data", self.data, "--out", self.out, *SMALL, "--resume", "must", "--no-plots"]
        self.assertNotIn("goes on on", self.code(0, *words).stderr)
        self.assertIn("the run was started on cpu and goes on on check: from here on its bits are those of check", self.code(0, *words, "--device", "check").stderr)
        self.assertEqual(json.loads((self.out / "run.json").read_text())["options"]["device"], "cpu")

    def test_device_auto(self):
        """With cpu alone nothing is timed: cpu's bits, the reason in run.json, and the resumed run keeps to both."""
        other = self.folder / "auto"
        self.train()
        words = ["forecast", "train", "--data", self.data, "--out", other, *SMALL, "--no-plots", "--device", "auto"]
        said = "device auto: cpu, the only device here"
        self.assertIn(f"note: {said}", self.code(0, *words).stderr)
        run = json.loads((other / "run.json").read_text())
        self.assertEqual((run["options"]["device"], run["device_choice"]), ("cpu", said))
        self.assertEqual(*[(out / "model.safetensors").read_bytes() for out in (self.out, other)])
        self.assertIn("device auto: cpu, which the run was begun on", self.code(0, *words, "--resume", "must").stderr)
        self.assertEqual(json.loads((other / "run.json").read_text()), run)
        for words in ("bench", "machine", "selftest"):
            self.assertIn("it is for training and for what answers by a trained run; available: cpu, ref", self.error(4, words, "--device", "auto")["message"])

    def test_stop_and_resume(self):
        """SIGTERM: exit 130 with a checkpoint; resumed to the bits of a run that was never stopped."""
        words = ["--no-plots", "--epochs", "40", "--patience", "0"]
        self.train(*words, "--quiet")
        whole = (self.out / "model.safetensors").read_bytes()
        command = [program.PROGRAM, "forecast", "train", "--data", str(self.data), "--out", str(self.out), *SMALL, *words, "--overwrite"]
        child = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=program.environment())
        for line in child.stderr:
            if line.startswith("epoch  3"):
                break
        child.send_signal(signal.SIGTERM)
        child.stderr.read()
        self.assertEqual(child.wait(60), 130)
        child.stderr.close()
        changed = self.error(2, "forecast", "train", "--data", self.data, "--out", self.out, *SMALL, *words, "--resume", "auto", "--dropout", "0.3")
        self.assertIn("dropout", changed["message"])
        result = json.loads(self.train(*words, "--resume", "auto", "--json").stdout)
        self.assertGreater(result["resumed_from_step"], 0)
        self.assertEqual((self.out / "model.safetensors").read_bytes(), whole)

    def test_verbose_and_dump(self):
        graphs = self.folder / "graphs"
        done = self.train("--no-plots", "--verbose", "--dump-graph", graphs)
        for word in ("kernels", "GFLOP", "arena", "variables", "scratch", "windows", "step, lines after each pass: build", "gradient norm"):
            self.assertIn(word, done.stderr)
        names = {p.name for p in graphs.iterdir()}
        for name in ("step-1-build.txt", "step-1-build.dot", "step-2-simplify.txt", "step-2-simplify.dot", "validation-1-build.txt"):
            self.assertIn(name, names)
        self.assertTrue((graphs / "step-1-build.dot").read_text().startswith("digraph"))
        self.assertGreater((graphs / "step-1-build.txt").stat().st_size, (graphs / "step-2-simplify.txt").stat().st_size)
        plain = (self.out / "model.safetensors").read_bytes()
        self.train("--no-plots", "--quiet", "--overwrite")
        self.assertEqual((self.out / "model.safetensors").read_bytes(), plain, "looking changes nothing")

    def test_explain(self):
        """The step as a page and as JSON; kernels' times and phases add up; a run is left as it was."""
        result = json.loads(self.train("--no-plots", "--explain", "--json").stdout)
        self.assertGreater(result["compile_ms"], 0)
        self.assertGreater(result["first_step_ms"], 0)
        step = result["explanation"]
        before = {p.name: p.read_bytes() for p in self.out.iterdir() if p.is_file()}
        page = self.code(0, "explain", self.out).stdout
        for word in ("cpu", "memory:", "fused:", "ms a run", "slowest", "phase 1: ", "gemm 16 x", "not fused", "embedding"):
            self.assertIn(word, page)
        self.assertLessEqual(max(map(len, page.splitlines())), 240)
        alone = json.loads(self.code(0, "explain", self.out, "--json").stdout)["step"]
        for key in ("flops", "bytes_read", "bytes_written", "phases", "memory"):
            self.assertEqual(alone[key] if key != "memory" else alone[key]["arena"], step[key] if key != "memory" else step[key]["arena"], key)
        self.assertEqual([k["members"] for k in alone["kernels"]], [k["members"] for k in step["kernels"]])
        self.assertGreater(sum(k["ms"] or 0 for k in alone["kernels"]), 0)
        self.assertAlmostEqual(sum(k["flops"] for k in alone["kernels"]) / alone["flops"], 1)
        plain = json.loads(self.code(0, "explain", self.out, "--json", "--no-compile", "--no-measure").stdout)["step"]
        self.assertGreater(len(plain["kernels"]), len(alone["kernels"]))
        self.assertEqual((plain["fused"], plain["runs"], plain["kernels"][0]["ms"]), (False, 0, None))
        self.assertEqual(plain["product_flops"], alone["product_flops"])
        self.assertEqual({p.name: p.read_bytes() for p in self.out.iterdir() if p.is_file()}, before)
        self.error(2, "explain")
        self.error(3, "explain", self.folder)

    def test_memory_limit_words(self):
        for word in ("0", "2X", "1.5", "-1"):
            self.assertIn("512M", self.error(2, "forecast", "train", "--data", self.data, "--out", self.out, *SMALL, f"--memory-limit={word}")["message"])
        self.train("--no-plots", "--memory-limit", "0.5")
        large = ["--d-model", "128", "--d-ff", "128", "--batch-size", "200", "--epochs", "1", "--no-plots", "--memory-limit", "5M"]
        message = self.error(1, "forecast", "train", "--data", self.data, "--out", self.folder / "none", *SMALL, *large)["message"]
        self.assertIn("`auto-batch`", message)
        done = self.train(*large, "--auto-batch", "--overwrite")
        self.assertRegex(done.stderr, r"note: batch-size \d+ in place of \d+: the largest that fits 5.0 MiB")
        options = json.loads((self.out / "run.json").read_text())["options"]
        self.assertIn(f"`batch-size` {options['batch-size']} would fit", message)

    def test_memory_for_time(self):
        """The same batch in parts, and blocks made again: the same result from less memory; killed, it goes on to the same bits."""
        words = ["--d-model", "64", "--d-ff", "64", "--e-layers", "4", "--batch-size", "64", "--dropout", "0.3", "--no-plots", "--json"]
        said, score = {}, {}
        for way in ((), ("--accumulate", "4"), ("--recompute",), ("--accumulate", "4", "--recompute")):
            done = self.train(*words, *way, "--overwrite")
            said[way], score[way] = float(re.search(r"parameters, ([\d.]+) MiB", done.stderr)[1]), json.loads(done.stdout)["test"]["mse"]
            self.assertAlmostEqual(score[way] / score[()], 1, delta=1e-4)
            self.assertTrue(not way or said[way] < 0.9 * said[()], said)
        more = [*words, *way, "--epochs", "12", "--patience", "0"]
        self.train(*more, "--overwrite")
        whole = (self.out / "model.safetensors").read_bytes()
        command = [program.PROGRAM, "forecast", "train", "--data", self.data, "--out", self.out, *SMALL, *more, "--overwrite"]
        child = subprocess.Popen([str(c) for c in command], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=program.environment())
        for line in child.stderr:
            if line.startswith("epoch  3"):
                break
        child.kill()
        child.wait(60)
        child.stderr.close()
        self.assertGreater(json.loads(self.train(*more, "--resume", "auto").stdout)["resumed_from_step"], 0)
        self.assertEqual((self.out / "model.safetensors").read_bytes(), whole)
        message = self.error(2, "forecast", "train", "--data", self.data, "--out", self.out, "--overwrite", *SMALL, *words,
                             "--accumulate", "5")["message"]
        self.assertIn("`accumulate` 4 or `accumulate` 8 would do", message)

    def test_killed_in_refit(self):
        """kill -9 while it learns from all rows: the scored model is there, and going on gives the bits of a run never killed."""
        words = ["forecast", "train", "--data", self.data, *SMALL, "--epochs", "40", "--patience", "0", "--no-plots", "--refit"]
        self.code(0, *words, "--out", self.folder / "whole")
        command = [str(w) for w in [program.PROGRAM, *words, "--out", self.out]]
        child = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=program.environment())
        for line in child.stderr:
            if "training once more" in line:
                break
        child.kill()
        child.wait(60)
        child.stderr.close()
        self.code(0, "forecast", "predict", self.out, "--no-plots")
        result = json.loads(self.code(0, *words, "--out", self.out, "--resume", "auto", "--json").stdout)
        self.assertTrue(result["refit"])
        self.assertEqual((self.out / "model.safetensors").read_bytes(), (self.folder / "whole" / "model.safetensors").read_bytes())
        self.assertIn("its errors are no test", self.code(0, "forecast", "evaluate", "--model", self.out, "--data", self.data).stderr)

    def test_last_line(self):
        """Where a baseline wins, the last line is a command that gives its forecast, wherever the run lies."""
        out = self.folder / "a run's folder"
        done = self.code(0, "forecast", "train", "--data", self.data, "--out", out, *SMALL, "--learning-rate", "1e-9", "--no-plots", "--quiet")
        line = done.stdout.splitlines()[-1]
        self.assertRegex(line, r"^(linear|seasonal-naive) \(.*\) forecasts better here than the model")
        evaluated = self.code(0, "forecast", "evaluate", "--model", out, "--data", self.data).stdout.splitlines()[-1]
        for said in (line, evaluated):
            words = shlex.split(said.split("tidemill ", 1)[1])
            self.assertEqual(words[:2], ["forecast", "predict"])
            used = json.loads(self.code(0, *words, "--json", "--no-plots").stdout)["used"]
            self.assertEqual(used, line.split()[0].replace("-", "_"))
            self.assertEqual(json.loads(self.code(0, "forecast", "predict", out, "--use", "best", "--json", "--no-plots").stdout)["used"], used)
        told = self.code(0, "forecast", "predict", out, "--no-plots").stderr
        self.assertIn(f"--use {words[-1]} gives it", told)

    def test_numbers_in_run_json(self):
        """What a training sets by itself is written down, and --config makes the same run of it."""
        words = ["--seq-len", "16", "--pred-len", "4", "--d-model", "16", "--d-ff", "16", "--n-heads", "2", "--e-layers", "1", "--no-plots", "--quiet"]
        self.code(0, "forecast", "train", "--data", self.data, "--out", self.out, *words)
        options = json.loads((self.out / "run.json").read_text())["options"]
        self.assertEqual((options["lradj"], options["batch-size"], options["dropout"]), ("cosine", 8, 0))
        self.assertEqual(options["epochs"], math.ceil(2000 / ((210 - 20 + 1) // 8)))
        again = self.folder / "again"
        self.code(0, "forecast", "train", "--config", self.out / "run.json", "--out", again, "--quiet")
        self.assertEqual((again / "model.safetensors").read_bytes(), (self.out / "model.safetensors").read_bytes())

    def test_no_compile(self):
        scores = [json.loads(self.train("--no-plots", "--json", "--overwrite", *words).stdout)["test"]["mse"] for words in ([], ["--no-compile"])]
        self.assertAlmostEqual(scores[1] / scores[0], 1, delta=1e-4)
        rows = [self.code(0, "forecast", "predict", self.out, "--no-plots", *words).stdout.splitlines() for words in ([], ["--no-compile"])]
        for a, b in zip(*rows):
            for x, y in list(zip(a.split(","), b.split(",")))[1:] if a[0].isdigit() else []:
                self.assertAlmostEqual(float(x), float(y), delta=1e-4)
        self.code(0, "forecast", "evaluate", "--model", self.out, "--data", self.data, "--no-compile")

    def test_one_warning_names_all_better_baselines(self):
        done = self.train("--no-plots", "--quiet", "--learning-rate", "1e-9")
        self.assertRegex(done.stderr, r"^warning: by test MSE the model \([\d.]+\) does not beat (\w+ \([\d.]+\)(, )?)+\n$")

    def test_names_that_are_no_utf8(self):
        """Whatever a file is called, the JSON is UTF-8."""
        name = os.fsdecode(b"s\xe9ries.csv")
        data = self.data.rename(self.folder / name)
        command = [program.PROGRAM, "forecast", "train", "--data", data, "--out", self.folder / os.fsdecode(b"r\xe9n"), *SMALL, "--no-plots", "--quiet", "--json"]
        done = subprocess.run(command, capture_output=True, env=program.environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(json.loads(done.stdout.decode())["run"].endswith("r\ufffdn"))
        done = subprocess.run([*command, "--target", os.fsdecode(b"\xff")], capture_output=True, env=program.environment())
        self.assertIn("\ufffd", json.loads(done.stdout.decode())["error"]["message"])

    def test_gz_semicolon_comma(self):
        text = self.data.read_text().replace(",", ";").replace(".", ",")
        packed = self.folder / "series.csv.gz"
        packed.write_bytes(gzip.compress(text.encode()))
        self.data = packed
        self.train("--quiet", "--no-plots", "--sep", ";", "--decimal", ",")

    def test_no_effect(self):
        done = self.train("--no-plots", "--label_len", "48", "--dec_in=7", "--c_out", "7", "--enc_in", "7", "--factor", "1", "--d_layers", "1",
                          "--num_workers", "4")
        notes = [line for line in done.stderr.splitlines() if "label-len" in line]
        self.assertEqual(len(notes), 1)
        self.assertIn("num-workers", notes[0])

    def test_financial_note(self):
        done = self.train("--no-plots", "--loss-function", "financial")
        self.assertIn("the directional losses' direction term has no gradient, so training equals MSE; --direction-surrogate gives one", done.stderr)


class Series(Case):
    """Files of every kind, trained on and forecast: the rows that follow, in the file's own form."""

    def future(self, header, stamps, *words, cells=lambda i: f"{10 + math.sin(i / 4):.4f}"):
        """The rows predicted after a file with these stamps under the name that ! marks."""
        names = header.split(",")
        data, out = self.folder / "s.csv", self.folder / "run"
        with open(data, "w") as file:
            file.write(header.replace("!", "") + "\n")
            for i, stamp in enumerate(stamps):
                file.write(",".join(stamp if name.startswith("!") else cells(i + 3 * k) for k, name in enumerate(names)) + "\n")
        self.code(0, "forecast", "train", "--data", data, "--out", out, *SMALL, "--epochs", "1", "--no-plots", "--quiet", "--overwrite", *words)
        rows = [line.split(",") for line in self.code(0, "forecast", "predict", out, "--no-plots").stdout.splitlines()]
        again = self.code(0, "forecast", "predict", out, "--data", data, "--no-plots").stdout.splitlines()
        self.assertEqual([",".join(row) for row in rows], again, "from the run and from the file")
        return rows

    def test_the_file_s_own_order(self):
        stamps = [f"2024-01-{1 + i // 24:02} {i % 24:02}:00" for i in range(300)]
        self.assertEqual(self.future("OT,!date,b,a", stamps)[:2][0], ["OT", "date", "b", "a"])
        rows = self.future("b,OT,a,!when", stamps)
        self.assertEqual(rows[0], ["b", "OT", "a", "when"])
        self.assertEqual(rows[1][3], "2024-01-13 12:00")
        self.assertEqual(self.future("b,OT,a,!when", stamps, "--features", "MS", "--target", "a")[0], ["a", "when"])
        self.assertEqual(self.future("b,OT,a,!when", stamps, "--features", "S")[0], ["OT", "when"])

    def test_months_by_calendar(self):
        last = [(datetime.date(1990 + (i + 1) // 12, (i + 1) % 12 + 1, 1) - datetime.timedelta(days=1)).isoformat() for i in range(304)]
        self.assertEqual([row[0] for row in self.future("!ds,x,y", last[:300])[1:]], last[300:])

    def test_steps(self):
        start = datetime.datetime(2020, 2, 24)
        forms = (("15min", datetime.timedelta(minutes=15), "%Y-%m-%dT%H:%M+02:00"), ("daily", datetime.timedelta(days=1), "%Y/%m/%d"),
                 ("weekly", datetime.timedelta(weeks=1), "%Y-%m-%d"), ("epoch", datetime.timedelta(hours=1), None))
        for name, step, form in forms:
            with self.subTest(name):
                times = [start + i * step for i in range(304)]
                text = [t.strftime(form) if form else str(int((t - datetime.datetime(1970, 1, 1)).total_seconds())) for t in times]
                self.assertEqual([row[0] for row in self.future("!timestamp,x", text[:300])[1:]], text[300:])

    def test_without_time(self):
        rows = self.future("x,y", [""] * 300)
        self.assertEqual((rows[0], len(rows), len(rows[1])), (["x", "y"], 5, 2))

    def test_odd_sizes(self):
        stamps = [f"2024-01-{1 + i // 24:02} {i % 24:02}:00" for i in range(300)]
        wide = "!date," + ",".join(f"c{i}" for i in range(40))
        for header, words in (("!date,a", ("--seq-len", 1, "--pred-len", 1)), ("!date,a,b", ("--seq-len", 2, "--pred-len", 20)),
                              ("!date,a,b", ("--batch-size", 5000, "--dropout", 0, "--activation", "relu", "--no-use-norm", "--marks", "none")),
                              (wide, ())):
            with self.subTest(words):
                rows = self.future(header, stamps, *words)
                self.assertEqual(rows[0], header.replace("!", "").split(","))
                self.assertTrue(all(math.isfinite(float(v)) for row in rows[1:] for v in row[1:]))


class Use(Case):
    @classmethod
    def setUpClass(cls):
        import tempfile
        cls.home = tempfile.TemporaryDirectory()
        cls.base = pathlib.Path(cls.home.name)
        cls.data = program.write_series(cls.base / "series.csv")
        cls.run_folder = cls.base / "run"
        done = program.run("forecast", "train", "--data", cls.data, "--out", cls.run_folder, *SMALL, "--quiet", "--no-plots")
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        cls.home.cleanup()

    def test_predict(self):
        done = self.code(0, "forecast", "predict", self.run_folder)
        rows = list(csv.reader(io.StringIO(done.stdout)))
        self.assertEqual(rows[0], ["date", "load", "wind", "OT"])
        self.assertEqual([row[0] for row in rows[1:]], [f"2024-01-13 {hour:02}:00:00" for hour in (12, 13, 14, 15)])
        self.assertTrue(all(5 < float(v) < 15 for row in rows[1:] for v in row[1:]))

    def test_levels(self):
        done = self.code(0, "forecast", "predict", self.run_folder, "--level", "95,80", "--lower", "8", "--upper", "OT=12")
        head, *rows = csv.reader(io.StringIO(done.stdout))
        suffixes = ["-lo-95", "-lo-80", "", "-hi-80", "-hi-95"]
        self.assertEqual(head, ["date", *(name + end for name in ("load", "wind", "OT") for end in suffixes)])
        plain = list(csv.reader(io.StringIO(self.code(0, "forecast", "predict", self.run_folder).stdout)))[1:]
        for row, was in zip(rows, plain):
            for c in range(3):
                numbers = [float(v) for v in row[1 + 5 * c:6 + 5 * c]]
                self.assertEqual(numbers[:2] + numbers[3:], sorted(numbers[:2] + numbers[3:]))
                self.assertEqual(numbers[2], min(max(float(was[1 + c]), 8), 12 if c == 2 else 99))
                self.assertTrue(all(8 <= v <= (12 if c == 2 else 99) for v in numbers))
        said = json.loads(self.code(0, "forecast", "predict", self.run_folder, "--level", "80", "--json", "--no-plots").stdout)
        self.assertEqual((said["levels"], sorted(said["intervals"]["OT"])), ([80.0], ["hi-80", "lo-80"]))
        self.assertTrue(all(low < high for low, high in zip(said["intervals"]["OT"]["lo-80"], said["intervals"]["OT"]["hi-80"])))
        self.assertEqual(self.error(2, "forecast", "predict", self.run_folder, "--level", "0.8")["column"], "level")
        scored = self.code(0, "forecast", "evaluate", "--model", self.run_folder, "--data", self.data, "--level", "70")
        self.assertRegex(scored.stdout, r"intervals +level %.*\n  this model +70 +[0-9.]+ +[0-9.]+ to [0-9.]+ .*\n  (last value|seasonal naive) +70 ")
        self.assertRegex(scored.stdout, r"within 70 %: step 1 [0-9.]+, step 2 [0-9.]+, step 4 [0-9.]+; least in column \w+, [0-9.]+")

    def test_printed_before_drawn(self):
        drawn, slow = self.folder / "drawn", self.folder / "gnuplot"
        slow.write_text(f"#!/bin/sh\ncat >/dev/null\nsleep 1\ntouch {drawn}\n")
        slow.chmod(0o755)
        child = subprocess.Popen([program.PROGRAM, "forecast", "predict", str(self.run_folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                 env=program.environment(TIDEMILL_GNUPLOT=slow))
        first = child.stdout.readline()
        early = not drawn.exists()
        rest, code = child.stdout.read(), child.wait()
        child.stdout.close()
        self.assertTrue(early, "the forecast came after its plot")
        self.assertEqual((code, first.startswith(b"date,"), rest.count(b"\n"), drawn.exists()), (0, True, 4, True))

    def test_predict_new_data(self):
        newer = program.write_series(self.folder / "newer.csv", rows=320)
        target = self.folder / "next.csv"
        self.code(0, "forecast", "predict", self.run_folder, "--data", newer, "--output", target)
        with open(target, newline="") as file:
            self.assertEqual([row[0] for row in list(csv.reader(file))[1:]], [f"2024-01-14 {hour:02}:00:00" for hour in (8, 9, 10, 11)])
        piped = self.code(0, "forecast", "predict", self.run_folder, "--data", "-", "--output", "-", stdin=newer.read_text())
        self.assertEqual(piped.stdout, target.read_text())

    def test_predict_refusals(self):
        short = program.write_series(self.folder / "short.csv", rows=9)
        self.assertIn("16", self.error(3, "forecast", "predict", self.run_folder, "--data", short)["message"])
        other = program.write_series(self.folder / "other.csv", columns=("load", "OT"))
        self.assertIn("wind", self.error(3, "forecast", "predict", self.run_folder, "--data", other)["message"])
        self.error(2, "forecast", "predict", self.run_folder, "--model", other)
        slow = program.write_series(self.folder / "slow.csv", step_s=900)
        self.error(3, "forecast", "predict", self.run_folder, "--data", slow)
        self.error(2, "forecast", "predict")
        self.assertIn("nowhere", self.code(self.missing_run, "forecast", "predict", self.folder / "nowhere").stderr)

    missing_run = 3

    def test_evaluate(self):
        target = self.folder / "predictions.npz"
        result = json.loads(self.code(0, "forecast", "evaluate", "--model", self.run_folder, "--data", self.data, "--save-predictions", target,
                                      "--json").stdout)
        self.assertGreater(result["windows"], 0)
        self.assertGreater(result["test"]["mse"], 0)
        self.assertIn("mse", result["original"])
        for name in ("last_value", "seasonal_naive", "linear"):
            self.assertGreater(result["baselines"][name]["mse"], 0)
            self.assertGreater(result["baselines"][name]["mae"], 0)
        self.assertEqual({len(result["horizon"][key]) for key in ("mse", "mae")}, {4})
        self.assertEqual(set(result["by_column"]), {"load", "wind", "OT"})
        for key in ("mape", "mspe", "smape", "wape"):
            self.assertGreaterEqual(result["original"][key], 0)
        for key in ("mse", "mae", "rmse"):
            self.assertIsNone(result["original"][key], "columns of different units have no one error")
            for column in result["by_column"].values():
                self.assertGreater(column["original"][key], 0)
                self.assertGreater(column["baselines"]["linear"]["original"][key], 0)
        self.assertLess(result["direction"]["low"], result["direction"]["accuracy"])
        self.assertEqual(result["baselines"]["seasonal_naive"]["season"], 24)
        names = {"prediction.npy", "truth.npy", "mean.npy", "std.npy", "columns.npy", "time.npy"}
        self.assertEqual(set(zipfile.ZipFile(target).namelist()), names)
        with zipfile.ZipFile(target) as archive:
            bodies = {name: archive.read(name) for name in names}
        self.assertTrue(bodies["columns.npy"].endswith(b"loadwindOT\0\0"))
        with open(self.data, newline="") as file:
            last = datetime.datetime.fromisoformat(list(csv.DictReader(file))[-1]["date"]).replace(tzinfo=datetime.timezone.utc)
        self.assertEqual(struct.unpack("<q", bodies["time.npy"][-8:])[0], last.timestamp())

    def test_small_truths(self):
        """Percentages of truths near 0 mean little, and that is said."""
        lines = self.data.read_text().splitlines()
        lines[250:] = [line.rsplit(",", 1)[0] + (",0" if i % 3 else ",1e-6") for i, line in enumerate(lines[250:])]
        data = self.folder / "zeros.csv"
        data.write_text("\n".join(lines) + "\n")
        result = json.loads(self.code(0, "forecast", "evaluate", "--model", self.run_folder, "--data", data, "--json").stdout)
        self.assertGreater(result["original"]["mape_left_out"], 0)
        self.assertTrue(result["original"]["mape_by_small_truths"])
        told = self.code(0, "forecast", "evaluate", "--model", self.run_folder, "--data", data).stdout
        self.assertIn("leave out", told)
        self.assertIn("go by smape and wape", told)

    def test_evaluate_contradictions(self):
        for words in (("--seq-len", 17), ("--pred-len", 5), ("--target", "load"), ("--features", "S")):
            self.assertIn(f"`{words[0][2:]}`", self.error(2, "forecast", "evaluate", "--model", self.run_folder, "--data", self.data, *words)["message"])

    def test_evaluate_baselines_alone(self):
        result = json.loads(self.code(0, "forecast", "evaluate", "--data", self.data, "--seq-len", 16, "--pred-len", 4, "--json").stdout)
        self.assertIn("last_value", result["baselines"])
        self.assertNotIn("mse", result.get("test") or {})


class BadInput(Case):
    """Each with its place and what would be accepted; exit 3; nothing half-written."""

    def refused(self, text, expected=3, words=()):
        data = self.folder / "bad.csv"
        if text is not None:
            data.write_bytes(text if isinstance(text, bytes) else text.encode())
        out = self.folder / "run"
        error = self.error(expected, "forecast", "train", "--data", data, "--out", out, *SMALL, *words)
        self.assertFalse(out.exists() and list(out.iterdir()), "something half-written was left behind")
        self.assertTrue(error["message"])
        return error

    def good(self, rows=300):
        return program.write_series(self.folder / "good.csv", rows=rows).read_text()

    def line(self, number, change):
        lines = self.good().splitlines()
        lines[number - 1] = change(lines[number - 1])
        return "\n".join(lines) + "\n"

    def test_missing(self):
        self.assertIn("bad.csv", self.refused(None)["file"])

    def test_empty(self):
        self.refused("")
        self.refused("\n\n")

    def test_headerless(self):
        self.refused("\n".join(self.good().splitlines()[1:]) + "\n")

    def test_ragged(self):
        self.assertEqual(self.refused(self.line(50, lambda s: s + ",1"))["row"], 50)

    def test_text(self):
        error = self.refused(self.line(77, lambda s: s.rsplit(",", 1)[0] + ",many"))
        self.assertEqual((error["row"], error["column"]), (77, "OT"))

    def test_nan_and_empty(self):
        for cell in ("nan", "", "NaN", "inf"):
            error = self.refused(self.line(60, lambda s: s.rsplit(",", 1)[0] + "," + cell), words=["--missing", "error"])
            self.assertEqual((error["row"], error["column"]), (60, "OT"))
            self.assertIn("`missing`", error["message"]) if cell != "inf" else None

    def test_backwards(self):
        lines = self.good().splitlines()
        lines[100], lines[101] = lines[101], lines[100]
        self.assertEqual(self.refused("\n".join(lines) + "\n")["row"], 102)

    def test_short(self):
        self.refused(self.good(rows=15))

    def test_unknown_target(self):
        self.assertIn("OT", self.refused(self.good(), words=("--target", "Ot", "--features", "S"))["message"])

    def test_binary(self):
        self.refused(bytes(range(256)) * 40)

    def test_contradictions(self):
        self.refused(self.good(), 2, ("--d-model", "10", "--n-heads", "4"))
        self.refused(self.good(), 2, ("--preset", "etth1-97"))
        self.refused(self.good(), 2, ("--compat", "everything"))
        for words in (("--resume", "auto", "--overwrite"), ("--columns", "load,wind", "--target", "OT"), ("--columns", "load", "--ignore", "wind"),
                      ("--target", "OT", "--ignore", "OT"), ("--target", "OT", "--time-column", "OT"), ("--direction-surrogate",),
                      ("--sep", ",", "--decimal", ","), ("--marks", "sometimes"), ("--freq", "7x")):
            self.refused(self.good(), 2, words)

    def test_folder(self):
        self.assertIn("folder", self.error(3, "forecast", "train", "--data", self.folder)["message"])

    def test_wrong_separator(self):
        self.assertIn("`sep`", self.refused(self.good(), words=("--sep", ";"))["message"])

    def test_foreign_compile_modes(self):
        for mode, use in ("inductor", "default, or max-autotune"), ("aot_eager", "`compile` no"), ("eager", "`compile` no"):
            self.assertIn(f"not '{mode}': use {use}", self.refused(self.good(), 2, ("--compile-mode", mode))["message"])

    def test_no_device(self):
        self.refused(self.good(), 4, ("--device", "cuda:0"))

    def test_constant_column_trains(self):
        lines = [line.rsplit(",", 1)[0] + (",OT" if i == 0 else ",7") for i, line in enumerate(self.good().splitlines())]
        data = self.folder / "flat.csv"
        data.write_text("\n".join(lines) + "\n")
        done = self.code(0, "forecast", "train", "--data", data, "--out", self.folder / "run", *SMALL, "--no-plots")
        self.assertIn("OT", done.stderr)

    def test_disk_full(self):
        if not pathlib.Path("/dev/full").exists():
            self.skipTest("no /dev/full")
        data = self.folder / "good.csv"
        data.write_text(self.good())
        with open("/dev/full", "w") as full:
            done = subprocess.run([program.PROGRAM, "forecast", "train", "--data", data, "--out", self.folder / "run", *SMALL, "--no-plots",
                                   "--quiet"], stdout=full, stderr=subprocess.PIPE, text=True, env=program.environment())
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)


if __name__ == "__main__":
    program.main("test_forecast")
