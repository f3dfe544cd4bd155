#!/usr/bin/env python3
"""Whose files are whose: random commands in a folder full of other people's files, under every name that a command ever writes,
killed at random moments. Not one of those files may change. Arguments: how many rounds (12; `slow`: 1000), and a seed."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

import program
from program import Case, SMALL

NUMBERS = [int(a) for a in sys.argv[1:] if a.isdigit()]
ROUNDS = NUMBERS[0] if NUMBERS else 1000 if "slow" in sys.argv[1:] else 12
SEED = NUMBERS[1] if len(NUMBERS) > 1 else 1
sys.argv[1:] = []

PLOTS = ["loss", "sample", "horizon", "forecast", "forecast-plot", "next-plot", "step-times", "answer-times", "accuracy", "calibration",
         "nyquist", "bode", "fibre", "residuals", "marginal_Rsh", "density_TER", "joint_Ra_Rb", "001_nyquist", "002_residuals"]
NAMES = [*(f"{p}.{e}" for p in PLOTS for e in ("svg", "csv")), "run.json", "model.safetensors", "state.safetensors", "metrics.csv", ".lock",
         "benchmark.json", "best_eis_predictor_mlx.npz", "best_eis_predictor.pth", "completion.json", "completion.csv", "candidates.csv",
         "evaluation.json", "evaluation.txt", "report.json", "report.html", "spectrum.csv", "manifest.json", "shard-00000.tmshard",
         "combined_dataset_3gt.csv", "ground_truth_metadata.json", "dataset_summary.txt", "next.csv", "tides.csv", "kept.npz",
         "bench.json", "step-1-build.txt", "step-1-build.dot", "validation-1-build.txt", "part-1-build.txt", ".tidemill"]
TEMPORARY = [f"{n}.tmp-{p}-0" for n in ("run.json", "model.safetensors", "loss.csv", "shard-00000.tmshard", "thesis") for p in (1, 999999)]
TEMPORARY += ["thesis.tmp-999999-draft.txt", "t-999999-0"]
TINY = [*SMALL[:-2], "--epochs", "1", "--threads", "1"]


def words_on(path):
    return {p.relative_to(path): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file() and not p.is_symlink()}


class Strangers(Case):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.made = self.folder / "made"  # runs to copy, so that a round need not train first
        self.made.mkdir()
        data = program.write_series(self.made / "data.csv", rows=120)
        self.code(0, "eis", "simulate", self.made / "well.csv")
        for name, more in (("plain", ["--no-plots"]), ("plotted", [])):
            self.code(0, "forecast", "train", "--data", data, "--out", self.made / name, *TINY, *more)
        self.truths = json.dumps([{"id": "a", "rsh": 460, "ra": 4820, "rb": 2210, "ca": 1.2e-6, "cb": 4.7e-6}])

    def put_strangers(self, folder, names):
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            path = folder / name
            if path.exists():
                continue
            kind = self.random.random()
            if name.endswith(".csv") and kind < 0.4:
                shutil.copy(self.made / "data.csv", path)
            elif name.endswith(".csv") and kind < 0.6:
                shutil.copy(self.made / "well.csv", path)
            elif name == "run.json" and kind < 0.5:
                path.write_text(json.dumps({"command": "mine", "options": {"epochs": 1, "out": ".", "overwrite": True}}))
            elif name == ".tidemill" and kind < 0.5:
                path.mkdir()
                (path / "files").write_text("loss.csv\nrun.json\n")
                (path / "t-999999-0").write_text("mine")
            else:
                path.write_bytes(self.random.randbytes(self.random.choice((0, 1, 40, 3000))))

    def scene(self, here):
        """A folder of strangers' files, and runs of ours among them with strangers' files under names that they do not have."""
        self.put_strangers(here, self.random.sample(NAMES, self.random.choice((len(NAMES), len(NAMES), 12))) + TEMPORARY)
        for run in ("plain", "plotted"):
            shutil.copytree(self.made / run, here / run)
            ours = (here / run / ".tidemill" / "files").read_text().split()
            self.put_strangers(here / run, [n for n in NAMES + TEMPORARY if n not in ours and n not in (".tidemill", ".lock")])
        self.put_strangers(here / "some", self.random.sample(NAMES + TEMPORARY, 5))
        for name in ("data.csv", "well.csv"):
            shutil.copy(self.made / name, here / name)
        (here / "truths.json").write_text(self.truths)

    def command(self):
        r = self.random
        place = lambda: r.choice((".", "some", "plain", "plotted", "fresh", "new/deep", "plain/../some"))
        data = lambda: r.choice(("data.csv", "data.csv", "loss.csv", "next.csv", "plotted/sample.csv", "forecast.csv"))
        maybe = lambda *words: list(words) if r.random() < 0.4 else []
        run = lambda: r.choice(("plain", "plotted"))
        output = lambda: r.choice(("next.csv", "new.csv", "forecast.csv", "plain/model.safetensors", "plain/sample.csv", "data.csv", "some", "-",
                                   "plotted/loss.csv", "new-plot.svg"))
        tiny_eis = ["--n-workers", "1", "--max-minutes", "0.01", "--pool-spectra", "4096", "--hidden-dim", "16", "--batch-size", "64"]
        return r.choice((
            lambda: ["forecast", "train", "--data", data(), "--out", place(), *TINY, *maybe("--overwrite"), *maybe("--resume", "auto"),
                     *maybe("--no-plots"), *maybe("--dump-graph", place()), *maybe("--config", r.choice(("plain/run.json", "run.json")))],
            lambda: ["forecast", "train", "--data", data(), "--out", place(), *TINY, "--overwrite"],
            lambda: ["forecast", "train", "--data", data(), "--out", place(), *TINY, "--benchmark", *maybe("--overwrite")],
            lambda: ["forecast", "predict", run(), *maybe("--data", data()), "--output", output(), *maybe("--no-plots")],
            lambda: ["forecast", "predict", run(), "--output", "data.csv", "--data", "data.csv", "--overwrite"],
            lambda: ["forecast", "predict", run()],
            lambda: ["forecast", "evaluate", "--model", run(), "--data", data(), "--save-predictions", r.choice(("kept.npz", "new.npz", "data.csv"))],
            lambda: ["eis", "complete", "--spectrum", r.choice(("well.csv", "nyquist.csv", "residuals.csv")), "--out", place(), "--method", "exact",
                     "--known", "Rsh=460,Ra=4.8k"],
            lambda: ["eis", "complete", "--spectrum", "well.csv", "--spectrum", "well.csv", "--out", place(), "--method", "exact"],
            lambda: ["eis", "simulate", r.choice(("spectrum.csv", "fresh.csv", "well.csv"))],
            lambda: ["eis", "generate", "--data_dir", place(), "--points", "4", "--n_ground_truths", "3", *maybe("--format", "csv"),
                     *maybe("--ground-truths", "truths.json")],
            lambda: ["eis", "train", "--out", place(), *tiny_eis, *maybe("--overwrite"), *maybe("--resume")],
            lambda: ["eis", "--mode", "full", "--out", place(), "--data_dir", place(), "--n_ground_truths", "3", "--n_epochs", "1",
                     "--samples_per_pattern", "20", "--hidden_dim", "8", "--batch_size", "64"],
            lambda: ["data", "make", "tide", r.choice(("tides.csv", "fresh.csv")), "--rows", "50"],
            lambda: ["bench", "--cases", "eis512", "--out", place(), "--seconds", "0.01", "--rounds", "1", "--threads", "1"],
        ))()

    def run_command(self, here, words):
        child = subprocess.Popen([str(pathlib.Path(program.PROGRAM).resolve()), *words], cwd=here, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                                 env=program.environment(XDG_CACHE_HOME=str(self.folder / "cache")))
        if self.random.random() < 0.5:
            time.sleep(self.random.uniform(0, 0.5) ** 2)
            child.send_signal(self.random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)))
        code = child.wait(timeout=120)
        self.assertNotIn(-code, (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE), words)
        return code

    def strangers_of(self, here):
        """What is there and vouched for by no list of ours. Files of the runs that were copied in are ours."""
        ours = set()
        for run in ("plain", "plotted"):
            ours |= {pathlib.Path(run) / n for n in (here / run / ".tidemill" / "files").read_text().split()}
            ours.add(pathlib.Path(run) / ".tidemill" / "files")
        return {path: content for path, content in words_on(here).items() if path not in ours}

    def listed_without_file(self, here):
        """What lists of ours name that is not there: a claim that a killed command did not come to use."""
        for path in here.rglob(".tidemill/files"):
            content = path.read_bytes() if path.is_file() else b""
            if content.startswith(b"tidemill files 1\n"):
                yield from (path.parent.parent / n for n in content.decode().splitlines()[1:] if n and not os.path.lexists(path.parent.parent / n))

    def move_in(self, here, killed):
        """Strangers' files where a command has left no file of its own, although its kind makes one."""
        claimed = set(self.listed_without_file(here))
        if not killed:
            self.assertEqual(claimed, set(), "names are listed without files")
        new = {}
        for folder in (here, here / "some", here / "plain", here / "plotted", here / "fresh"):
            for name in self.random.sample(NAMES, 5) if folder.is_dir() else ():
                path = folder / name
                if name != ".tidemill" and path not in claimed and not os.path.lexists(path):
                    path.write_bytes(self.random.randbytes(40))
                    new[path.relative_to(here)] = path.read_bytes()
        return new

    def test_rounds(self):
        codes = {}
        for number in range(ROUNDS):
            here = self.folder / f"round{number}"
            self.scene(here)
            before = self.strangers_of(here)
            said = []
            for _ in range(self.random.choice((1, 2, 4))):
                words = self.command()
                said.append((words, self.run_command(here, words)))
                code = said[-1][1]
                codes[code] = codes.get(code, 0) + 1
                after = words_on(here)
                for path, content in before.items():
                    self.assertIn(path, after, f"round {number}, seed {SEED}: {path} is gone after {said}")
                    self.assertEqual(after[path], content, f"round {number}, seed {SEED}: {path} has changed after {said}")
                before.update(self.move_in(here, any(c < 0 for _, c in said)))
            shutil.rmtree(here)
        if ROUNDS >= 100:  # they did real work, and were refused and killed too
            print("exit codes:", dict(sorted(codes.items())))
            for code in (0, 2, -9):
                self.assertGreater(codes.get(code, 0), ROUNDS // 20, codes)

    def test_output_and_its_plot(self):
        """The forecast is in --output, whatever that is called, and the plot's numbers beside it under a name of their own."""
        data, run = self.made / "data.csv", self.made / "plotted"
        out = self.folder / "forecast.csv"
        self.code(0, "forecast", "predict", run, "--output", out)
        self.assertEqual(out.read_text().splitlines()[0], "date,load,wind,OT")
        self.assertTrue((self.folder / "forecast-plot.csv").read_text().startswith("x,past,forecast"))
        first = out.read_bytes()
        self.code(0, "forecast", "predict", run, "--output", out)  # as this command wrote it
        out.write_text(out.read_text() + "my notes\n")
        self.assertIn("`overwrite` replaces it", self.error(2, "forecast", "predict", run, "--output", out)["message"])
        self.assertIn("my notes", out.read_text())
        self.code(0, "forecast", "predict", run, "--output", out, "--overwrite")
        self.assertEqual(out.read_bytes(), first)
        before = data.read_bytes()
        self.assertIn("is read by this command", self.error(2, "forecast", "predict", run, "--data", data, "--output", data, "--overwrite")["message"])
        self.assertEqual(data.read_bytes(), before)

    def test_plot_of_a_pipe(self):
        """A pipe or a device has no place for files beside it: the plot goes into the run."""
        pipes, run = self.folder / "pipes", self.folder / "run"
        pipes.mkdir()
        os.mkfifo(pipes / "next.csv")
        shutil.copytree(self.made / "plain", run)
        with subprocess.Popen(["cat", pipes / "next.csv"], stdout=subprocess.PIPE, text=True) as reader:
            self.code(0, "forecast", "predict", run, "--output", pipes / "next.csv")
            self.assertEqual(reader.stdout.readline(), "date,load,wind,OT\n")
        self.assertEqual(os.listdir(pipes), ["next.csv"])

    def test_own_numbers_as_input(self):
        """What a plot left can be read again, but not while the same command writes it anew."""
        answer, run = self.folder / "answer", self.folder / "run"
        self.code(0, "eis", "complete", "--spectrum", self.made / "well.csv", "--out", answer, "--method", "exact", "--known", "Rsh=460,Ra=4.8k")
        numbers = (answer / "nyquist.csv").read_bytes()
        self.assertIn("is read by this command", self.error(2, "eis", "complete", "--spectrum", answer / "nyquist.csv", "--out", answer)["message"])
        self.assertEqual((answer / "nyquist.csv").read_bytes(), numbers)
        shutil.copytree(self.made / "plotted", run)
        shutil.copy(self.made / "data.csv", run / "sample.csv")
        sample = (run / "sample.csv").read_bytes()
        for more in (["--overwrite"], ["--resume", "auto"]):
            self.assertIn("is read by this command",
                          self.error(2, "forecast", "train", "--data", run / "sample.csv", "--out", run, *TINY, *more)["message"])
        self.assertEqual((run / "sample.csv").read_bytes(), sample)

    def test_names_without_files(self):
        """A command that failed, was killed or took its files away has no right to what comes under their names later."""
        answer, run = self.folder / "answer", self.folder / "run"
        answer.mkdir()
        (answer / "bad.csv").write_text("junk\n")
        self.error(3, "eis", "complete", "--spectrum", answer / "bad.csv", "--out", answer)
        (answer / "candidates.csv").write_text("mine")
        self.error(2, "eis", "complete", "--spectrum", self.made / "well.csv", "--out", answer, "--method", "exact")
        self.assertEqual((answer / "candidates.csv").read_text(), "mine")
        train = ["forecast", "train", "--data", self.made / "data.csv", "--out", run, *TINY]
        child = subprocess.Popen([program.PROGRAM, *map(str, train), "--epochs", "1000000", "--patience", "0"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, env=program.environment())
        while not (run / "run.json").exists():
            time.sleep(0.01)
        child.kill()
        child.wait()
        (run / "sample.csv").write_text("mine")
        self.error(2, *train, "--overwrite")
        (run / "sample.csv").rename(run / "mine.csv")
        self.code(0, *train, "--overwrite")
        self.code(0, *train, "--overwrite", "--no-plots")  # the plots of before are gone
        (run / "loss.csv").write_text("mine")
        self.error(2, *train, "--overwrite")
        self.assertEqual({(run / n).read_text() for n in ("mine.csv", "loss.csv")}, {"mine"})

    def test_dump_in_the_way(self):
        """What --dump-graph cannot write is told before --overwrite takes the old run away."""
        run, dump = self.made / "plain", self.folder / "dump"
        dump.mkdir()
        (dump / "step-1-build.dot").write_text("mine")
        before = words_on(run)
        self.assertIn("step-1-build.dot is there already",
                      self.error(2, "forecast", "train", "--data", self.made / "data.csv", "--out", run, *TINY, "--overwrite", "--dump-graph", dump)["message"])
        self.assertEqual(words_on(run), before)
        self.assertEqual(words_on(dump), {pathlib.Path("step-1-build.dot"): b"mine"})

    def test_ground_truths_as_input(self):
        data = self.folder / "data"
        generate = ["eis", "generate", "--data_dir", data, "--points", "4", "--format", "csv"]
        self.code(0, *generate, "--n_ground_truths", "3")
        before = words_on(data)
        self.assertIn("is read by this command", self.error(2, *generate, "--ground-truths", data / "ground_truth_metadata.json")["message"])
        self.assertEqual(words_on(data), before)

    def test_config_of_another_run(self):
        """run.json as --config brings its settings, not its place: the run it came from stays."""
        before = words_on(self.made / "plain")
        settings = json.loads((self.made / "plain" / "run.json").read_text())
        settings["options"]["overwrite"] = True
        (self.folder / "theirs.json").write_text(json.dumps(settings))
        os.chdir(self.folder)
        self.addCleanup(os.chdir, pathlib.Path(__file__).resolve().parents[2])
        program_path = pathlib.Path(program.PROGRAM)
        done = subprocess.run([str(program_path if program_path.is_absolute() else pathlib.Path(__file__).resolve().parents[2] / program_path),
                               "forecast", "train", "--config", "theirs.json"], env=program.environment(), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(words_on(self.made / "plain"), before)
        self.assertTrue(list((self.folder / "runs").iterdir()))


if __name__ == "__main__":
    program.main(os.path.basename(__file__))
