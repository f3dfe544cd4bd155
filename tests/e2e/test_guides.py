#!/usr/bin/env python3
"""docs/guides.md: each of our command lines in it, run as it stands on a tiny series of the guide's columns; smaller, except in the slow tier its quick example."""
import datetime
import json
import pathlib
import re
import shlex
import sys
import unittest

import program
from program import Case

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/guides.md"

# The guide's quick example runs as it stands in the slow tier; trainings and data sets are made smaller.
EIS_QUICK = "tidemill eis --mode full --backend mlx --n_ground_truths 5 --n_epochs 10 --batch_size 256"
EIS_TINY = {"full": ["--n_ground_truths", "5", "--n_epochs", "1", "--samples_per_pattern", "200"], "generate": ["--n_ground_truths", "5"],
            "train": ["--n_epochs", "1", "--samples_per_pattern", "200"], "inference": []}

# Added after the page's own words: the same options, a size that takes a second.
TINY = ["--batch-size", "16", "--epochs", "1", "--min-epochs", "0", "--seq-len", "24", "--d-model", "32", "--d-ff", "32", "--no-plots", "--quiet"]
TINY_BENCH = ["--benchmark-iterations", "5"]


# Sizes this small gain nothing from threads, and beside other tests threads wait for each other.
ONE_THREAD = {"OMP_NUM_THREADS": 1}


def commands():
    """The `tidemill ...` lines of the page's sh blocks, continued lines joined."""
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("tidemill "):
                yield line


class Guides(Case):
    def test_every_command(self):
        data = program.write_series(self.folder / "bnbusdt_1m.csv", rows=500, columns=("open", "high", "low", "close", "volume"),
                                    start=datetime.datetime(2024, 3, 1), step_s=60)
        found = list(commands())
        self.assertGreaterEqual(len(found), 8)
        for i, line in enumerate(found):
            with self.subTest(line):
                words = [str(data) if word == "bnbusdt_1m.csv" else word for word in shlex.split(line)[1:]]
                if words[:2] in (["forecast", "train"], ["forecast", "--benchmark-only"]):
                    words += TINY + TINY_BENCH + ["--out", str(self.folder / f"run{i}")]
                if words[:2] == ["eis", "--mode"]:
                    words += EIS_TINY[words[2]]
                self.code(0, *words, cwd=self.folder, timeout=500, env=ONE_THREAD)

    @unittest.skipUnless("slow" in sys.argv, "slow")
    def test_quick_example(self):
        self.assertIn(EIS_QUICK, [" ".join(line.split()) for line in commands()])
        self.code(0, *shlex.split(EIS_QUICK)[1:], cwd=self.folder, timeout=500, env=ONE_THREAD)

    def check_old_words(self, run, train, was, now, without):
        """Options in the words of earlier versions: taken and written as today's; a run of before that says them is
        resumed, and is a --config, like any other; `without`: a --compat that is another."""
        def told(folder):
            options = json.loads((folder / "run.json").read_text())["options"]
            return {name: options[name] for name in now}

        def words(options):
            return [word for name, value in options.items() for word in (f"--{name}", value)]

        self.code(0, *train, "--out", run, *words(was), env=ONE_THREAD)
        self.assertEqual(told(run), now)
        before = json.loads((run / "run.json").read_text())
        before["options"].update(was)
        (run / "run.json").write_text(json.dumps(before))
        for options in (was, now):
            self.code(0, *train, "--out", run, *words(options), "--resume", "must", env=ONE_THREAD)
        other = self.error(2, *train, "--out", run, *words({**now, "compat": without}), "--resume", "must")
        self.assertEqual(other["option"], "compat")
        again = run.with_name(run.name + "-again")
        self.code(0, *train, "--config", run / "run.json", "--out", again, env=ONE_THREAD)
        self.assertEqual(told(again), now)

    def test_words_of_before(self):
        data = program.write_series(self.folder / "series.csv", rows=300, columns=("open", "close"), step_s=60)
        self.check_old_words(self.folder / "forecast", ["forecast", "train", "--data", data, *TINY],
                             {"preset": "guide-m1", "compat": "stop-on-test,guide", "lradj": "guide_slower"},
                             {"preset": "mac-m1", "compat": "stop-on-test,mac", "lradj": "mac-slower"}, "stop-on-test")
        made = ["--data_dir", self.folder / "set"]
        self.code(0, "eis", "generate", *made, "--n_ground_truths", "4", "--points", "3", "--quiet")
        train = ["eis", "train", "--inputs", "known", *made, "--hidden-dim", "8", "--epochs", "1", "--samples-per-pattern", "20",
                 "--no-plots", "--quiet"]
        self.check_old_words(self.folder / "eis", train, {"compat": "guide", "masks": "guide", "lradj": "guide-type2"},
                             {"compat": "mlx", "masks": "mlx", "lradj": "mac-type2"}, "none")
        for i, words in enumerate((["--compat-guide"], ["--compat-guide", "guide"], ["--compat-guide=yes"], ["--compat"])):
            self.code(0, *train, "--out", self.folder / f"bare{i}", *words, env=ONE_THREAD)
            self.assertEqual(json.loads((self.folder / f"bare{i}/run.json").read_text())["options"]["compat"], "mlx")

    def test_every_command_of_the_guide_is_there(self):
        page = PAGE.read_text()
        for word in ("./run_on_mac.sh --batch_size 256 --train_epochs 5 --seq_len 96", "./run_on_mac.sh --benchmark`", "./run_on_mac.sh --benchmark-only`", "--no-compile",
                     "--compile-mode reduce-overhead", "--verbose", EIS_QUICK, "--mode train --backend pytorch --n_epochs 10",
                     "--mode full --backend mlx --n_ground_truths 100 --n_epochs 50 --batch_size 512 --n_workers 8"):
            self.assertIn(word, page)

    def test_every_variable_of_the_guide_is_there(self):
        page = PAGE.read_text()
        for name in ("PYTORCH_ENABLE_MPS_FALLBACK", "PYTORCH_MPS_HIGH_WATERMARK_RATIO", "PYTORCH_MPS_LOW_WATERMARK_RATIO",
                     "PYTORCH_MPS_ENABLE_NATIVE_SOFTMAX", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            self.assertIn(f"| `{name}", page)
        data = program.write_series(self.folder / "series.csv")
        train = ["forecast", "train", "--data", data, "--out", self.folder / "run", *TINY, "--pred-len", "4"]
        self.assertIn("`memory-limit`", self.error(1, *train, env={"TIDEMILL_MEMORY_LIMIT": "10000"})["message"])
        told = self.code(0, *train, "--json", env={"OMP_NUM_THREADS": 1, "MKL_NUM_THREADS": 3})
        self.assertEqual(json.loads(told.stdout)["threads"], 1)


if __name__ == "__main__":
    program.main("test_guides")
