#!/usr/bin/env python3
"""tidemill forecast tune: the same choice and the same table however often it is killed, on any number of threads; its rungs, its budget, its
refusals, and what it leaves."""
import csv
import json
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

import program
from program import Case

GROUND = ("--seq-len", 16, "--pred-len", 4, "--n-heads", 2, "--d-model", 8, "--epochs", 9, "--no-plots")
SPACE = "arch=itransformer,dlinear,patchtst;seq-len=8,16,24;d-model=8,16;d-ff=8..32;e-layers=1,2;dropout=0,0.1;learning-rate=1e-4..1e-2 log;batch-size=8,32"
CORNER = "learning-rate=1e-4..1e-2 log"  # quick


class Tune(Case):
    def setUp(self):
        super().setUp()
        self.data = program.write_series(self.folder / "series.csv", rows=220)

    def words(self, out, *more, space=SPACE, trials=12):
        return ("forecast", "tune", "--data", self.data, "--out", self.folder / out, "--space", space, "--trials", trials, *GROUND, *more)

    def tune(self, out, *more, **search):
        return json.loads(self.code(0, *self.words(out, "--json", *more, **search)).stdout)

    def left(self, out):
        """What must be the same: the table, the best run and the seeds, byte for byte."""
        folder = self.folder / out
        names = ("trials.csv", "best/model.safetensors", *(f"seeds/{p.name}/model.safetensors" for p in sorted(folder.glob("seeds/*"))))
        return {name: (folder / name).read_bytes() for name in names}

    def table(self, out):
        with open(self.folder / out / "trials.csv", newline="") as file:
            return list(csv.DictReader(file))

    def start(self, *words):
        return subprocess.Popen([program.PROGRAM, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                env=program.environment())

    # ---- the same whatever happens ----

    def test_killed(self):
        seed = random.randrange(1 << 32)
        moment = random.Random(seed)
        began = time.monotonic()
        whole = self.tune("whole", "--seeds", 2)
        took = time.monotonic() - began
        kills = 0
        for _ in range(40):
            child = self.start(*self.words("killed", "--seeds", 2, "--resume", "auto", "--threads", moment.choice((1, 2, 3))))
            try:
                child.communicate(timeout=moment.uniform(0.02, 0.5 * took))
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                kills += 1
                if kills == 5:
                    break
            else:  # the machine is quicker than it was, or all but the end was done: anew
                self.assertEqual(self.left("killed"), self.left("whole"), seed)
                shutil.rmtree(self.folder / "killed")
        self.assertEqual(kills, 5, seed)
        again = self.tune("killed", "--seeds", 2, "--resume", "auto")
        with self.subTest(seed=seed):
            self.assertEqual(self.left("killed"), self.left("whole"))
            for key in ("best", "settings", "rungs", "seeds", "complete"):
                self.assertEqual(again[key], whole[key], key)
        self.assertEqual(len(whole["seeds"]["each"]), 2)
        self.assertEqual(self.left("killed"), (self.tune("killed", "--seeds", 2, "--resume"), self.left("killed"))[1])

    def test_threads(self):
        for threads in (1, 3):
            self.tune(f"on-{threads}", "--threads", threads, trials=6)
        self.assertEqual(self.left("on-1"), self.left("on-3"))

    def test_interrupted(self):
        child = self.start(*self.words("stopped", "--epochs", 100000, "--patience", 0, space=CORNER, trials=3))
        while not list((self.folder / "stopped").glob("trials/*/run.json")):
            self.assertIsNone(child.poll(), "it ended by itself")
            time.sleep(0.02)
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        said = child.communicate(timeout=20)[1]
        self.assertEqual(child.returncode, 130, said)
        self.assertIn("--resume auto --out", said)
        self.assertTrue(list((self.folder / "stopped").glob("trials/*/state.safetensors")), "no checkpoint")

    # ---- what it says ----

    def test_halving(self):
        """The figures of rungs and trials agree; each trial is what train makes of its settings."""
        told = self.tune("out", "--seeds", 3)
        trials = {trial["trial"]: trial for trial in told["trials"]}
        self.assertEqual([rung["trials"] for rung in told["rungs"]], [12, 4, 1])
        self.assertEqual([rung["parts"] for rung in told["rungs"]], [9, 3, 1])
        self.assertEqual(sum(trial["rungs"] >= 2 for trial in trials.values()), 4)
        for rung, one in enumerate(told["rungs"], 1):
            self.assertEqual(one["through"], sum(trial["rungs"] >= rung for trial in trials.values()))
        best = trials[told["best"]]
        self.assertEqual((best["state"], best["rungs"], best["settings"]), ("best", 3, told["settings"]))
        self.assertEqual(best["val_loss"], min(trial["val_loss"] for trial in trials.values()))
        self.assertEqual([int(row["trial"]) for row in self.table("out")], list(range(1, 13)))
        self.assertEqual({float(row["val_loss"]) for row in self.table("out")}, {trial["val_loss"] for trial in trials.values()})
        given = [word for name, value in best["settings"].items() for word in (f"--{name}", value)]
        self.code(0, "forecast", "train", "--data", self.data, "--out", self.folder / "again", *GROUND, *given)
        self.assertEqual((self.folder / "again/model.safetensors").read_bytes(), (self.folder / "out/best/model.safetensors").read_bytes())
        self.assertFalse((self.folder / "out/trials").exists())
        for name, value in zip(("mse", "mae"), zip(*((one["mse"], one["mae"]) for one in told["seeds"]["each"]))):
            mean = sum(value) / 3
            self.assertAlmostEqual(told["seeds"][f"{name}_mean"], mean, 12)
            self.assertAlmostEqual(told["seeds"][f"{name}_deviation"], (sum((v - mean) ** 2 for v in value) / 2) ** 0.5, 12)
        self.assertAlmostEqual(told["run"]["test"]["mse"], told["seeds"]["each"][0]["mse"], 8)
        self.code(0, "forecast", "predict", self.folder / "out/best", "--no-plots")

    def test_page(self):
        """The page ends with what trains the best again."""
        page = self.code(0, *self.words("out", "--budget", "1h", space=CORNER, trials=4)).stdout
        self.assertRegex(page, r"rung +epochs +trials")
        self.assertIn("on test rows that no choice looked at", page)
        words = re.search("to train it again: tidemill (.*)", page).group(1).split()
        self.assertNotIn("budget", " ".join(words))
        self.code(0, *words, "--no-plots", "--out", self.folder / "again")
        self.assertEqual((self.folder / "again/model.safetensors").read_bytes(), (self.folder / "out/best/model.safetensors").read_bytes())

    def test_test_rows_decide_nothing(self):
        """Other test rows, the same choice: all figures but those of the test."""
        told = self.tune("out", space=CORNER, trials=4)
        lines = self.data.read_text().splitlines()
        test = 1 + 176
        self.data.write_text("\n".join(lines[:test] + [line.split(",")[0] + ",1,2,3" for line in lines[test:]]) + "\n")
        other = self.tune("other", space=CORNER, trials=4)
        self.assertEqual(self.table("out"), self.table("other"))
        self.assertNotEqual(told["seeds"], other["seeds"])

    def test_failing_trials(self):
        """A trial that diverges, or has no memory, is a row with its reason."""
        told = self.tune("out", "--optimizer", "sgd", space="learning-rate=1e-3,100", trials=3)
        self.assertEqual([trial["state"] for trial in told["trials"]].count("failed"), 1)
        failed = next(trial for trial in told["trials"] if trial["state"] == "failed")
        self.assertIn("diverged", failed["reason"])
        self.assertEqual(failed["settings"]["learning-rate"], "100")
        wide = self.tune("wide", "--memory-limit", "24M", space="d-ff=16,32768", trials=3)
        self.assertIn("MiB", next(trial for trial in wide["trials"] if trial["settings"].get("d-ff") == "32768")["reason"])

    def test_budget(self):
        told = self.tune("out", "--epochs", 150, "--patience", 0, "--budget", "0.2s", space=CORNER, trials=9)
        self.assertFalse(told["complete"])
        self.assertLess(told["seconds"], 5)
        self.assertEqual(told["rungs"][-1]["trials"], 0)
        self.assertEqual(told["run"]["epochs"], 150, "the best is trained to its end")
        before = self.left("out")
        self.assertEqual(self.tune("out", "--epochs", 150, "--patience", 0, "--budget", "0.2s", "--resume", "auto", space=CORNER, trials=9)["best"], told["best"])
        self.assertEqual(self.left("out"), before)

    def test_seeds_alone(self):
        """Without a space: the options as given, with several seeds."""
        told = self.tune("out", "--seeds", 3, "--d-model", 8, space="none")
        self.assertEqual((len(told["trials"]), len(told["rungs"]), told["settings"]), (1, 1, {}))
        self.assertEqual([one["seed"] for one in told["seeds"]["each"]], [2023, 2024, 2025])
        self.code(0, "forecast", "train", "--data", self.data, "--out", self.folder / "by-hand", *GROUND, "--d-model", 8, "--seed", 2025)
        self.assertEqual((self.folder / "by-hand/model.safetensors").read_bytes(), (self.folder / "out/seeds/2025/model.safetensors").read_bytes())

    # ---- spaces ----

    def refused(self, space, *more):
        out = self.folder / "refused"
        error = self.error(2, *self.words("refused", *more, space=space))
        self.assertFalse(out.exists(), space)
        return error["message"]

    def test_spaces(self):
        for space, words in {
            "epochs=5,10": "cannot search 'epochs': arch, seq-len",
            "d_modle=5,10": "did you mean d-model?",
            "nonsense=": "cannot search 'nonsense'",
            "d-model=8;d-model=16": "twice",
            "d-model=8,8": "the value 8 twice",
            "d-model=16..8": "LOW below HIGH",
            "d-model=8..8": "LOW below HIGH",
            "learning-rate=0..1 log": "begins above 0",
            "learning-rate=1e-4..1e-2 linear": "log or nothing",
            "d-model=8,,16": "a value of `d-model` is missing",
            "d-model=": "a value of `d-model` is missing",
            "d-model=eight": "d-model",
            "dropout=0.1..3": "dropout",
            "arch=itransformer..dlinear": "list its values",
            "arch=lstm": "itransformer",
            "d-model=9,16": "`n-heads` 2 does not divide `d-model` 9",
            "n-heads=3,4;d-model=8": "`n-heads` 3 does not divide `d-model`",
            "seq-len=16,1000": "seq-len",
            "d-model=9..9.5": "d-model",
            "d-model=8;16": "no NAME=VALUE",
        }.items():
            with self.subTest(space=space):
                self.assertIn(words, self.refused(space))
        told = self.tune("paired", space="n-heads=2,3;d-model=9,16", trials=9)
        for trial in told["trials"][1:]:
            self.assertEqual(int(trial["settings"]["d-model"]) % int(trial["settings"]["n-heads"]), 0)
        self.assertEqual(len(told["trials"]), 3, "two legal pairs, and the options as given")

    def test_space_of_a_file(self):
        file = self.folder / "space.txt"
        file.write_text("# widths\nd-model=8,16  # two\n\nlearning-rate = 1e-3 .. 1e-2 log; dropout=0\n")
        told = self.tune("out", space=file, trials=5)
        for trial in told["trials"][1:]:
            self.assertEqual(set(trial["settings"]), {"d-model", "learning-rate", "dropout"})
            self.assertTrue(1e-3 <= float(trial["settings"]["learning-rate"]) <= 1e-2)
        file.write_text("d-model=8,16\ndropout\n")
        error = self.error(2, *self.words("other", space=file))
        self.assertEqual((error["row"], error["file"]), (2, str(file)))
        self.error(3, *self.words("other", space=self.folder / "absent"))

    def test_usual_space(self):
        """Of what is searched by itself nothing that was given, and nothing that the data cannot have."""
        words = ("forecast", "tune", "--data", self.data, *GROUND[2:], "--epochs", 1, "--trials", 6, "--json")
        told = json.loads(self.code(0, *words, "--out", self.folder / "out", "--d-model", 8).stdout)
        self.assertEqual(set().union(*(trial["settings"] for trial in told["trials"])), {"arch", "learning-rate", "batch-size", "d-ff", "e-layers", "dropout"})
        known = json.loads(self.code(0, *words, "--out", self.folder / "known", "--known", "wind", "--targets", "load").stdout)
        self.assertNotIn("arch", known["settings"])
        program.write_series(self.data, rows=1000)
        long = json.loads(self.code(0, *words, "--out", self.folder / "long", "--arch", "dlinear").stdout)
        self.assertEqual(set().union(*(trial["settings"] for trial in long["trials"])), {"seq-len", "learning-rate", "batch-size"})
        self.assertLessEqual({trial["settings"].get("seq-len") for trial in long["trials"]}, {None, "96", "192"}, "384 of 700 rows are too many")
        for trial in told["trials"][1:]:
            self.assertEqual("d-ff" in trial["settings"], trial["settings"]["arch"] != "dlinear")

    def test_draws_follow_from_their_number(self):
        """More trials, the same first ones."""
        few, many = (self.tune(f"of-{count}", "--epochs", 1, space=CORNER, trials=count)["trials"] for count in (4, 9))
        self.assertEqual([trial["settings"] for trial in few], [trial["settings"] for trial in many[:4]])
        other = self.tune("other", "--epochs", 1, "--seed", 7, space=CORNER, trials=4)["trials"]
        self.assertNotEqual([trial["settings"] for trial in other], [trial["settings"] for trial in few])

    # ---- folders ----

    def test_folders(self):
        """Nothing that is not the search's own is written over or deleted."""
        small = dict(space=CORNER, trials=2)
        self.tune("out", **small)
        self.assertIn("already contains a search", self.error(2, *self.words("out", **small))["message"])
        self.assertIn("begun with trials", self.error(2, *self.words("out", "--resume", "auto", space=CORNER, trials=3))["message"])
        self.assertIn("begun with space learning-rate", self.error(2, *self.words("out", "--resume", space="learning-rate=1e-3..1e-2",
                                                                                  trials=2))["message"])
        self.assertIn("no search to go on with", self.error(2, *self.words("none", "--resume", "must", **small))["message"])
        notes = self.folder / "out" / "best" / "notes.txt"
        notes.write_text("mine")
        self.assertIn("was not made by this search", self.error(2, *self.words("out", "--overwrite", **small))["message"])
        self.assertEqual(notes.read_text(), "mine")
        notes.unlink()
        (self.folder / "out/best").rmdir()
        self.tune("out", "--overwrite", space=CORNER, trials=3)
        self.assertIn("contains a run", self.error(2, *self.words("out/best", **small))["message"])
        (self.folder / "mine").mkdir()
        (self.folder / "mine/trials.csv").write_text("mine")
        self.assertIn("not made by this program", self.error(2, *self.words("mine", **small))["message"])
        self.assertEqual((self.folder / "mine/trials.csv").read_text(), "mine")
        (self.folder / "theirs/seeds").mkdir(parents=True)
        self.assertIn("not made by this search", self.error(2, *self.words("theirs", **small))["message"])

    def test_refusals(self):
        for words, said in ((("--budget", "10"), "with its unit"), (("--budget", "0m"), "above 0"), (("--compat", "stop-on-test"), "stop-on-test"),
                            (("--compile-mode", "max-autotune"), "max-autotune"), (("--device", "auto"), "name the device"),
                            (("--resume", "auto", "--overwrite"), "contradict"), (("--arch", "auto"), "not trained by steps"),
                            (("--arch", "linear"), "not trained by steps")):
            with self.subTest(words=words):
                self.assertIn(said, self.error(2, *self.words("refused", *words, space=CORNER))["message"])
        self.assertIn("not trained by steps", self.error(2, *self.words("refused", space="arch=dlinear,seasonal-naive"))["message"])
        self.error(2, *self.words("refused", "--max-minutes", 3))
        self.assertIn("a file, not standard input", self.error(2, "forecast", "tune", "--data", "-", stdin="a,b\n1,2\n")["message"])
        self.error(3, "forecast", "tune", "--data", self.folder / "absent.csv", "--out", self.folder / "absent")
        self.assertFalse((self.folder / "absent").exists())


if __name__ == "__main__":
    program.main("test_tune")
