#!/usr/bin/env python3
"""Models out of and into Tidemill: as C source, compiled and run here; as ONNX, worked out by onnx_file.py (slow: by onnxruntime); as PyTorch
checkpoints, read back by import (slow: by torch)."""
import csv
import datetime
import json
import math
import pathlib
import platform
import random
import re
import shutil
import statistics
import struct
import subprocess
import sys
import unittest
import zipfile

from onnx_file import Array, Model
from program import SMALL, Case, main, write_series

SLOW = "slow" in sys.argv
ALLOWED = 1e-5  # of a column's standard deviation: float32 sums in another order differ by 2e-6

# Options beside SMALL, and the step of the rows: every time feature, targets among the columns, both activations, sizes odd and one.
VARIANTS = {
    "hourly": ([], 3600),
    "one_target": (["--features", "MS", "--target", "wind", "--e-layers", "2"], 60),
    "plain": (["--marks", "none", "--activation", "relu", "--no-use-norm"], 3600),
    "odd": (["--seq-len", "13", "--pred-len", "5", "--d-model", "9", "--n-heads", "3", "--d-ff", "7", "--e-layers", "2"], 86400),
    "weekly": (["--seq-len", "9", "--pred-len", "1"], 7 * 86400),
    "alone": (["--features", "S", "--target", "load"], 1),
    "quantiles": (["--head", "quantile", "--quantiles", "0.1,0.4,0.5,0.9", "--epochs", "3"], 3600),
    "student": (["--head", "student-t", "--features", "MS", "--target", "wind", "--no-use-norm"], 3600),
    "attributes": (["--static", "ATTRIBUTES", "--epochs", "2", "--learning-rate", "0.01"], 3600),
}
LEVEL = ["--level", "50,95"]

DRIVER = r"""
#include "model.h"
#include <stdio.h>
#include <string.h>
int main(void) {
    static double past[MODEL_SEQ_LEN * MODEL_COLUMNS], future[MODEL_PRED_LEN * MODEL_TARGETS];
    static double alone[MODEL_PRED_LEN * MODEL_TARGETS], bounds[MODEL_PRED_LEN * MODEL_TARGETS * MODEL_LEVELS * 2];
    static int64_t time_s[MODEL_SEQ_LEN];
    if (MODEL_LEVELS != 2 || model_levels[0] != 50 || model_levels[1] != 95) return 1;
    while (fread(past, sizeof past, 1, stdin) == 1 && fread(time_s, sizeof time_s, 1, stdin) == 1) {
        int code = model_intervals(past, TIMES future, bounds);
        if (model_forecast(past, TIMES alone) != code || (!code && memcmp(alone, future, sizeof alone))) return 2;
        fwrite(&code, sizeof code, 1, stdout);
        fwrite(future, sizeof future, 1, stdout);
        fwrite(bounds, sizeof bounds, 1, stdout);
    }
    for (int i = 0; i < MODEL_COLUMNS; i++) fprintf(stderr, "%s\n", model_columns[i]);
    for (int i = 0; i < MODEL_TARGETS; i++) fprintf(stderr, "%s\n", model_targets[i]);
    return 0;
}
"""
COMPILERS = [c for c in ("gcc", "clang") if shutil.which(c)]
# The last lets the compiler use what the machine has, in a dialect that would join products and sums.
LEVELS = ["-O0", "-O3", "-std=gnu11 -O3 -march=native"] if platform.machine() == "x86_64" else ["-O0", "-O3"]
FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]


def rows_of(path, columns):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    stamps = [datetime.datetime.fromisoformat(r["date"]).replace(tzinfo=datetime.timezone.utc) for r in rows]
    return [[float(r[c]) for c in columns] for r in rows], [int(s.timestamp()) for s in stamps]


def tensors_of(path):
    """name -> (shape, bytes) of a safetensors file."""
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    return {name: (t["shape"], data[start + t["data_offsets"][0]:start + t["data_offsets"][1]])
            for name, t in json.loads(data[8:start]).items() if name != "__metadata__"}


def metadata_of(path):
    data = path.read_bytes()
    return json.loads(json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])["__metadata__"]["tidemill.forecast"])


def with_tensor(path, out, name, values):
    """The safetensors file with one f32 tensor more."""
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8:start]), data[start:]
    header[name] = {"dtype": "F32", "shape": [len(values)], "data_offsets": [len(body), len(body) + 4 * len(values)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    out.write_bytes(struct.pack("<Q", len(text)) + text + body + struct.pack(f"<{len(values)}f", *values))


class Exported(Case):
    """Runs, fresh windows, and the three ways out."""

    def train(self, variant):
        """A run, its columns and targets, the spread of each target."""
        options, step = VARIANTS[variant]
        data, out = self.folder / "series.csv", self.folder / "run"
        write_series(data, rows=240, start=datetime.datetime(2023, 1, 1), step_s=step)
        (self.folder / "ATTRIBUTES").write_text("name,size,kind\nload,3,a\nwind,8.5,b\nOT,1,a\n")
        options = [self.folder / o if o == "ATTRIBUTES" else o for o in options]
        self.code(0, "forecast", "train", "--data", data, "--out", out, *SMALL, "--epochs", 1, "--no-plots", "--overwrite", *options)
        self.settings = json.loads((out / "run.json").read_text())["options"]
        columns = {"S": ["load"], "MS": ["load", "OT", "wind"]}.get(self.settings["features"], ["load", "wind", "OT"])
        targets = columns if self.settings["features"] != "MS" else ["wind"]
        values, _ = rows_of(data, columns)
        self.spread = [statistics.pstdev(row[columns.index(t)] for row in values) for t in targets]
        return out, columns, targets, step

    def window(self, columns, step, random_of):
        """Fresh rows that follow no pattern, at any time: past, times."""
        rows, single = self.settings["seq-len"], step >= 7 * 86400
        start = datetime.datetime(random_of.choice([1999, 2000, 2024, 2100]), random_of.choice([1, 2, 12]), random_of.randint(20, 28),
                                  tzinfo=datetime.timezone.utc)
        first = int(start.timestamp()) + (0 if single else random_of.randrange(10 ** 6) // step * step)
        return [[round(random_of.gauss(10, 4), 4) for _ in columns] for _ in range(rows)], [first + i * step for i in range(rows)]

    def file_of(self, columns, past, times):
        path = self.folder / "newer.csv"
        with open(path, "w", newline="") as out:
            table = csv.writer(out, lineterminator="\n")
            table.writerow(["date", *columns])
            for row, time in zip(past, times):
                table.writerow([datetime.datetime.fromtimestamp(time, datetime.timezone.utc).replace(tzinfo=None), *row])
        return path

    def expected(self, run, columns, past, times):
        """What `predict` says, row by row: forecasts, and beside each the lower and upper bounds of the levels."""
        text = self.code(0, "forecast", "predict", run, "--data", self.file_of(columns, past, times), "--no-plots", "--device", "cpu", *LEVEL).stdout
        table = list(csv.DictReader(text.splitlines()))
        names = [h for h in table[0] if h != "date" and not re.search("-(lo|hi)-[0-9]+$", h)]
        return ([[float(row[n]) for n in names] for row in table],
                [[float(row[f"{n}-{side}-{level}"]) for n in names for level in (50, 95) for side in ("lo", "hi")] for row in table])

    def near(self, what, got, expected):
        for step, row in enumerate(expected):
            for k, value in enumerate(row):
                apart = abs(got[step * len(row) + k] - value) / self.spread[k * len(self.spread) // len(row)]
                self.assertLess(apart, ALLOWED, f"{what}: step {step + 1}, target {k + 1}: {got[step * len(row) + k]}, {value} wanted")

    # ---- C ----

    def compiled(self, compiler, level, marks):
        program = self.folder / f"{compiler}{level.replace(' ', '')}"
        (self.folder / "driver.c").write_text(DRIVER.replace("TIMES", "time_s," if marks else ""))
        done = subprocess.run([compiler, *FLAGS, *level.split(), "model.c", "driver.c", "-o", program, "-lm"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, f"{compiler} {level}: {done.stderr[-2000:]}")
        return program

    def answers(self, program, windows, rows, targets):
        """(code, numbers) of each window, and the names that the program knows."""
        given = b"".join(struct.pack(f"<{len(past) * len(past[0])}d", *sum(past, [])) + struct.pack(f"<{len(times)}q", *times)
                         for past, times in windows)
        done = subprocess.run([program], input=given, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        form = f"<i{5 * rows * targets}d"
        return [(a[0], list(a[1:])) for a in struct.iter_unpack(form, done.stdout)], done.stderr.decode().splitlines()

    def check_c(self, run, columns, targets, step, seed, ways):
        random_of, rows = random.Random(seed), self.settings["pred-len"]
        self.code(0, "forecast", "export", run, "--output", self.folder / "model.c", *LEVEL)
        marks = "time_s" in (self.folder / "model.h").read_text()
        windows = [self.window(columns, step, random_of) for _ in range(3)]
        expected = [self.expected(run, columns, *w) for w in windows]
        bad_past, bad_time = [list(r) for r in windows[0][0]], list(windows[0][1])
        bad_past[-1][-1], bad_time[2] = math.nan, 253402300800
        asked = [*windows, (bad_past, windows[0][1]), (windows[0][0], bad_time)]
        said = {}
        for compiler, level in ways:
            program = self.compiled(compiler, level, marks)
            said[compiler, level], names = self.answers(program, asked, rows, len(targets))
            self.assertEqual(names, columns + targets)
        first = next(iter(said.values()))
        self.assertEqual([code for code, _ in first], [0, 0, 0, 1, 2 if marks else 0])
        for (compiler, level), answers in said.items():
            self.assertEqual(answers[:3], first[:3], f"{compiler} {level} gives other bits (seed {seed})")
        for (_, got), (wanted, bounds) in zip(first, expected):
            self.near(f"C (seed {seed})", got, wanted)
            self.near(f"bounds in C (seed {seed})", got[rows * len(targets):], bounds)

    # ---- ONNX ----

    def check_onnx(self, run, columns, targets, step, seed):
        random_of, path = random.Random(seed), self.folder / "model.onnx"
        self.code(0, "forecast", "export", run, "--output", path, *LEVEL)
        windows = [self.window(columns, step, random_of) for _ in range(2)]
        expected = [self.expected(run, columns, *w) for w in windows]
        model, seq_len, pred_len = Model(path), self.settings["seq-len"], self.settings["pred-len"]
        self.assertEqual((model.ir, model.opset), (8, 17))
        self.assertEqual(json.loads(model.metadata["columns"]), columns)
        self.assertEqual(json.loads(model.metadata["targets"]), targets)
        self.assertEqual(model.inputs["past"], (11, ["batch", seq_len, len(columns)]))
        given_out = (11, ["batch", pred_len, len(targets)])
        self.assertEqual(model.outputs, dict.fromkeys(["future", "lo-50", "hi-50", "lo-95", "hi-95"], given_out))
        given = {"past": Array((2, seq_len, len(columns)), [v for w in windows for row in w[0] for v in row])}
        if "time_s" in model.inputs:
            self.assertEqual(model.inputs["time_s"], (7, ["batch", seq_len]))
            given["time_s"] = Array((2, seq_len), [t for w in windows for t in w[1]])
        got = model.run(**given)
        bounds = [got[f"{side}-{level}"].values for level in (50, 95) for side in ("lo", "hi")]
        self.assertEqual(got["future"].shape, (2, pred_len, len(targets)))
        for k, (wanted, sides) in enumerate(expected):
            size = pred_len * len(targets)
            self.near(f"ONNX (seed {seed})", got["future"].values[k * size:(k + 1) * size], wanted)
            self.near(f"bounds in ONNX (seed {seed})", [bound[i] for i in range(k * size, (k + 1) * size) for bound in bounds], sides)
        return path, given, got

    def check_runtime(self, path, given, wanted):
        """The same by onnx.checker and onnxruntime, in one call and window by window."""
        import numpy
        import onnx
        import onnxruntime
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path)
        types = {"past": "float64", "time_s": "int64"}
        feeds = {name: numpy.array(a.values, types[name]).reshape(a.shape) for name, a in given.items()}
        names = list(wanted)
        whole = session.run(names, feeds)
        parts = [session.run(names, {n: v[i:i + 1] for n, v in feeds.items()}) for i in range(2)]
        for name, got, *single in zip(names, whole, *parts):
            right = numpy.array(wanted[name].values).reshape(wanted[name].shape)
            for one in (got, numpy.concatenate(single)):
                self.assertLess(numpy.abs((one - right) / numpy.array(self.spread)).max(), ALLOWED, name)

    # ---- pth ----

    def import_again(self, run, out, *words):
        s = self.settings
        options = ["--data", self.folder / "series.csv", "--n-heads", s["n-heads"], "--features", s["features"], "--marks", s["marks"],
                   "--activation", s["activation"], "--use-norm", s["use-norm"], *(["--target", s["target"]] if s["target"] else [])]
        self.code(0, "forecast", "export", run, "--output", self.folder / "model.pth", "--overwrite")
        return self.code(0, "forecast", "import", self.folder / "model.pth", *options, "--out", out, *words)

    def check_pth(self, run):
        again = self.folder / "again"
        self.import_again(run, again)
        was, now = tensors_of(run / "model.safetensors"), tensors_of(again / "model.safetensors")
        self.assertEqual(was, now)
        for words in (["predict", run, "--no-plots"], ["predict", run, "--no-plots", "--use", "best"],
                      ["evaluate", "--model", run, "--data", self.folder / "series.csv"]):
            theirs = [again if w == run else w for w in words]
            self.assertEqual(self.code(0, "forecast", *words).stdout, self.code(0, "forecast", *theirs).stdout.replace("again", "run"))


def clock(seconds):
    """minute, hour, weekday, day, day of the year"""
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return at.minute, at.hour, at.weekday(), at.day, at.timetuple().tm_yday


def published(torch, settings):
    """The published model (Liu et al., ICLR 2024) by the names of its parameters, written from the paper."""
    nn, width, heads = torch.nn, settings["d-model"], settings["n-heads"]

    def module(**parts):
        out = nn.Module()
        for name, part in parts.items():
            setattr(out, name, part)
        return out

    def block():
        projections = {f"{name}_projection": nn.Linear(width, width) for name in ("query", "key", "value", "out")}
        return module(attention=module(**projections), conv1=nn.Conv1d(width, settings["d-ff"], 1), conv2=nn.Conv1d(settings["d-ff"], width, 1),
                      norm1=nn.LayerNorm(width), norm2=nn.LayerNorm(width))

    class Published(nn.Module):
        def __init__(self):
            super().__init__()
            self.enc_embedding = module(value_embedding=nn.Linear(settings["seq-len"], width))
            self.encoder = module(attn_layers=nn.ModuleList(block() for _ in range(settings["e-layers"])), norm=nn.LayerNorm(width))
            self.projector = nn.Linear(width, settings["pred-len"])

        def forward(self, x, marks):
            mean = x.mean(1, keepdim=True)
            deviation = torch.sqrt(x.var(1, keepdim=True, unbiased=False) + 1e-5)
            h = self.enc_embedding.value_embedding(torch.cat([(x - mean) / deviation, marks], 2).transpose(1, 2))
            for b in self.encoder.attn_layers:
                a = b.attention
                split = [p(h).view(*h.shape[:2], heads, -1).transpose(1, 2) for p in (a.query_projection, a.key_projection, a.value_projection)]
                mixed = nn.functional.scaled_dot_product_attention(*split).transpose(1, 2).reshape(h.shape)
                h = b.norm1(h + a.out_projection(mixed))
                h = b.norm2(h + b.conv2(nn.functional.gelu(b.conv1(h.transpose(1, 2)))).transpose(1, 2))
            out = self.projector(self.encoder.norm(h)).transpose(1, 2)[:, :, :x.shape[2]]
            return out * deviation + mean
    return Published().eval()


def variant_test(name, seed):
    def test(self):
        run, ways = self.train(name), [(c, level) for c in COMPILERS for level in LEVELS]
        if ways:
            self.check_c(*run, seed, ways if SLOW or name == "odd" else [ways[0], ways[-1]])
        self.check_onnx(*run, seed + 1)
        if name in ("quantiles", "student", "attributes"):
            said = self.error(2, "forecast", "export", run[0], "--output", self.folder / "model.pth")
            self.assertEqual((said["option"], "`format` c or onnx holds" in said["message"]), ("format", True))
        else:
            self.check_pth(run[0])
    return test


class Variants(Exported):
    pass


QUICK = ("plain", "odd", "alone", "quantiles", "student", "attributes")  # the others are of the slow tier
for number, name in enumerate(VARIANTS):
    if SLOW or name in QUICK:
        setattr(Variants, f"test_{name}", variant_test(name, 100 * number + 7))


class Words(Exported):
    """What is refused, and what is said."""

    def test_refusals(self):
        run, *_ = self.train("hourly")
        out, taken = self.folder / "model.c", self.folder / "taken.h"
        taken.write_text("mine\n")
        for option, words in [("output", []), ("format", ["--output", self.folder / "model.txt"]), ("output", ["--output", "-"]),
                              ("output", ["--output", self.folder / "model.txt", "--format", "c"]),
                              ("output", ["--output", self.folder / "my-model.c"]), ("output", ["--output", self.folder / "1.c"]),
                              ("output", ["--output", self.folder / ".c"]), ("output", ["--output", self.folder / "taken.c"]),
                              ("output", ["--output", run / "model.safetensors", "--format", "pth", "--overwrite"])]:
            self.assertEqual(self.error(2, "forecast", "export", run, *words)["option"], option, words)
        for words in (["--output", out, "--level", "80,101"], ["--output", self.folder / "model.pth", "--level", "80"]):
            self.assertEqual(self.error(2, "forecast", "export", run, *words)["option"], "level", words)
        self.assertEqual(taken.read_text(), "mine\n")
        self.assertIn("RUN is missing", self.error(2, "forecast", "export", "--output", out)["message"])
        self.error(3, "forecast", "export", self.folder / "absent", "--output", out)
        answer = json.loads(self.code(0, "forecast", "export", run, "--output", out, "--json").stdout)
        self.assertEqual(sorted(answer["files"]), sorted([str(out), str(out)[:-1] + "h"]))
        self.assertIn(answer["model_sha256"], out.read_text())
        self.code(0, "forecast", "export", run, "--output", out)  # its own file it replaces

    def test_unknown_part(self):
        """A parameter that exports leave out would change every forecast."""
        run, *_ = self.train("hourly")
        more = self.folder / "more.safetensors"
        with_tensor(run / "model.safetensors", more, "enc_embedding.mask_embedding.weight", [1.0, 2.0])
        self.code(0, "forecast", "predict", more, "--no-plots")
        for name in ("a.c", "a.onnx", "a.pth"):
            message = self.error(2, "forecast", "export", more, "--output", self.folder / name)["message"]
            self.assertIn("enc_embedding.mask_embedding.weight", message)
            self.assertFalse((self.folder / name).exists())

    def test_other_networks(self):
        """Networks that exports do not know, and what a published checkpoint cannot have."""
        data, gaps, run = self.folder / "series.csv", self.folder / "gaps.csv", self.folder / "run"
        write_series(data, rows=240)
        lines = data.read_text().splitlines()
        gaps.write_text("\n".join(line.rsplit(",", 1)[0] + "," if i % 50 == 7 else line for i, line in enumerate(lines)) + "\n")
        for series, words in ((data, ["--arch", "dlinear"]), (data, ["--arch", "patchtst"]), (data, ["--known", "wind"]), (gaps, [])):
            self.code(0, "forecast", "train", "--data", series, "--out", run, *SMALL, "--epochs", 1, "--no-plots", "--overwrite", *words)
            for name in ("a.c", "a.onnx", "a.pth"):
                self.assertIn("which exports do not know", self.error(2, "forecast", "export", run, "--output", self.folder / name)["message"], words)
        self.train("hourly")
        self.code(0, "forecast", "export", run, "--output", self.folder / "model.pth")
        words = ["forecast", "import", self.folder / "model.pth", "--n-heads", "2", "--out", self.folder / "again"]
        self.assertEqual(self.error(2, *words, "--data", data, "--known", "wind")["option"], "known")
        self.assertIn("`missing` linear or ffill fills them", self.error(3, *words, "--data", gaps)["message"])
        self.code(0, *words, "--data", gaps, "--missing", "linear")

    def test_import_refusals(self):
        run, *_ = self.train("hourly")
        data, pth, out = self.folder / "series.csv", self.folder / "model.pth", self.folder / "again"
        self.code(0, "forecast", "export", run, "--output", pth)
        heads = ["--n-heads", "2"]
        for option, code, words in [("n-heads", 2, ["--data", data]), ("n-heads", 2, ["--data", data, "--n-heads", "3"]),
                                    ("seq-len", 2, ["--data", data, *heads, "--seq-len", "17"]), ("data", 2, heads)]:
            self.assertEqual(self.error(code, "forecast", "import", pth, *words, "--out", out)["option"], option, words)
        for bad in (run / "model.safetensors", data, self.folder / "absent.pth"):
            self.error(3, "forecast", "import", bad, "--data", data, *heads, "--out", out)
        self.assertFalse(out.exists())
        with zipfile.ZipFile(pth) as old, zipfile.ZipFile(self.folder / "bad.pth", "w") as new:
            for name in old.namelist():
                new.writestr(name, old.read(name).replace(b"collections\nOrderedDict", b"posix\nsystem"))
        message = self.error(3, "forecast", "import", self.folder / "bad.pth", "--data", data, *heads, "--out", out)["message"]
        self.assertIn("posix.system", message)
        said = self.code(0, "forecast", "import", pth, "--data", data, *heads, "--out", out)
        self.assertIn("--n-heads 2, --activation gelu, --use-norm true, 4 time features", said.stderr)
        self.assertEqual(self.error(2, "forecast", "import", pth, "--data", data, *heads, "--out", out)["option"], "out")
        self.assertEqual(json.loads((out / "run.json").read_text())["command"], "forecast import")
        self.code(0, "explain", out)

    def test_names(self):
        """Column names that C would read otherwise."""
        data = self.folder / "series.csv"
        write_series(data, rows=200, columns=('a "b"\\n', "??/ */", "größe %d"))
        self.code(0, "forecast", "train", "--data", data, "--out", self.folder / "run", *SMALL, "--epochs", 1, "--no-plots")
        self.code(0, "forecast", "export", self.folder / "run", "--output", self.folder / "model.c", *LEVEL)
        self.code(0, "forecast", "export", self.folder / "run", "--output", self.folder / "alone.c")
        for compiler in COMPILERS:
            done = subprocess.run([compiler, *FLAGS, "-c", "alone.c"], cwd=self.folder, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            _, names = self.answers(self.compiled(compiler, "-O1", True), [], 4, 3)
            self.assertEqual(names[:3], ['a "b"\\n', "??/ */", "größe %d"])


@unittest.skipUnless(SLOW, "slow")
class Others(Exported):
    """By the programs that such files are for, where they are installed."""

    def need(self, *modules):
        for module in modules:
            try:
                __import__(module)
            except ImportError:
                self.skipTest(f"{module} is not installed")

    def test_onnxruntime(self):
        self.need("numpy", "onnx", "onnxruntime")
        for number, name in enumerate(VARIANTS):
            shutil.rmtree(self.folder / "run", ignore_errors=True)
            (self.folder / "model.onnx").unlink(missing_ok=True)
            self.check_runtime(*self.check_onnx(*self.train(name), 40 + number))

    def test_torch(self):
        self.need("torch")
        import torch
        run, *_ = self.train("one_target")
        self.code(0, "forecast", "export", run, "--output", self.folder / "model.pth")
        state = torch.load(self.folder / "model.pth", weights_only=True)
        for name, (shape, data) in tensors_of(run / "model.safetensors").items():
            if name in state:
                self.assertEqual((list(state[name].shape), state[name].numpy().tobytes()), (shape, data))
        self.assertEqual(len(state), 6 + 2 * 16)
        model = published(torch, self.settings)
        model.load_state_dict(state)
        past, times = rows_of(self.folder / "series.csv", ["load", "OT", "wind"])
        meta = metadata_of(run / "model.safetensors")
        mean, std = torch.tensor(meta["mean"]), torch.tensor(meta["std"])
        seq_len = self.settings["seq-len"]
        marks = [[minute / 59 - 0.5, hour / 23 - 0.5, weekday / 6 - 0.5, (day - 1) / 30 - 0.5, (of_year - 1) / 365 - 0.5]
                 for minute, hour, weekday, day, of_year in map(clock, times[-seq_len:])]
        scaled = (torch.tensor(past[-seq_len:], dtype=torch.float64) - mean) / std
        got = model(scaled.float()[None], torch.tensor(marks)[None])[0, :, 2] * std[2] + mean[2]
        text = self.code(0, "forecast", "predict", run, "--no-plots").stdout.splitlines()[1:]
        for value, line in zip(got.tolist(), text):
            self.assertLess(abs(value - float(line.split(",")[1])), ALLOWED * self.spread[0])
        torch.save(state, self.folder / "theirs.pth")
        s = self.settings
        self.code(0, "forecast", "import", self.folder / "theirs.pth", "--data", self.folder / "series.csv", "--n-heads", s["n-heads"],
                  "--features", "MS", "--target", "wind", "--out", self.folder / "again")
        self.assertEqual(tensors_of(run / "model.safetensors"), tensors_of(self.folder / "again" / "model.safetensors"))


if __name__ == "__main__":
    main(pathlib.Path(__file__).stem)
