#!/usr/bin/env python3
"""What a rebuilding of the house must not change, as one hash a line: parameters after training, losses, scores,
forecasts, completed circuits and data sets of a given program. Two programs that give the same lines compute the same
bits on this machine; another processor or compiler gives other lines.

  tools/bits.py build/cli/tidemill > after.txt && diff before.txt after.txt
  tools/bits.py build/cli/tidemill --quick --keep texts      what was hashed, a file an item, to compare two of them

An item is NAME.params (names, types, shapes and bytes of the tensors, without the metadata), .arrays (those of an
.npz), .losses (the columns of metrics.csv that tell of the training itself), .numbers (JSON as printed, keys sorted,
without its texts), .words (its texts, which a better sentence changes) or .bytes (a file as it is). Clocks, versions,
places and what a machine has are left out."""
import argparse
import csv
import hashlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared"
THREADS = 2
LOSSES = ("epoch", "step", "lr", "train_loss", "val_loss", "grad_norm", "train_acc", "val_acc", "best_possible_acc",
          "loss_scale", "skipped_steps")
UNSTEADY = {"version", "seconds", "train_s", "wall_s", "step_ms", "compile_ms", "first_step_ms", "samples_per_s",
            "spectra_per_s", "peak_rss_mib", "threads", "run", "folder", "model", "report", "spectrum"}
FORECAST = ["--threads", THREADS, "--no-plots"]
EIS = ["--n_workers", THREADS, "--no-plots"]
TINY = ["--seq-len", 24, "--pred-len", 6, "--d-model", 16, "--d-ff", 16, "--n-heads", 2, "--e-layers", 1,
        "--batch-size", 16, "--epochs", 3]

# One short training each, so that every path through the trainer is taken: name, options.
VARIANTS = {
    "adamw": ["--optimizer", "adamw", "--weight-decay", 0.01, "--lradj", "cosine", "--grad-clip", 0.5],
    "sgd": ["--optimizer", "sgd", "--learning-rate", 0.05, "--lradj", "type2", "--loss-function", "mae"],
    "rmsprop": ["--optimizer", "rmsprop", "--lradj", "constant", "--loss-function", "huber"],
    "lion": ["--optimizer", "lion", "--features", "MS", "--target", "dover_cm", "--lradj", "type3"],
    "parts": ["--accumulate", 4, "--recompute"],
    "op-by-op": ["--no-compile", "--features", "S", "--target", "dover_cm"],
    "ref": ["--device", "ref", "--epochs", 1],
    "check": ["--device", "check", "--epochs", 1],
    "bf16": ["--precision", "bf16"],
    "f16": ["--precision", "f16", "--device", "check", "--epochs", 1],
    "patience": ["--epochs", 12, "--patience", 1, "--learning-rate", 0.02, "--lradj", "constant"],
    "refit": ["--refit", "--val", 60, "--test", 40, "--dropout", 0],
    "guide": ["--compat", "guide", "--loss-function", "financial", "--direction-surrogate", "--activation", "relu",
              "--use-norm=no"],
    "published": ["--compat", "val-shuffled,stop-on-test"],
}


class Bits:
    """Runs the program in a folder of its own and prints what comes of it."""

    def __init__(self, program, folder, keep):
        self.program, self.folder, self.keep = str(program), pathlib.Path(folder), keep
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TIDEMILL_", "OMP_"))}
        self.environment = {**kept, "LC_ALL": "C.UTF-8", "XDG_CACHE_HOME": str(self.folder / "cache"),
                            "OMP_NUM_THREADS": str(THREADS), "OMP_WAIT_POLICY": "passive"}

    def run(self, *words):
        words = [self.program, *map(str, words)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=self.folder, env=self.environment)
        if done.returncode:
            sys.exit(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
        return done.stdout

    def item(self, name, content):
        content = content if isinstance(content, bytes) else content.encode()
        print(f"{name:<44} {hashlib.sha256(content).hexdigest()}", flush=True)
        if self.keep:
            path = self.keep / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def file(self, name, path):
        self.item(name + ".bytes", (self.folder / path).read_bytes())

    def answer(self, name, *words):
        answer = json.loads(self.run(*words, "--json"), parse_float=Number, parse_int=Number)
        self.item(name + ".numbers", json.dumps(numbers(answer), indent=1, sort_keys=True) + "\n")
        said = sorted(words_of(answer))
        if said:
            self.item(name + ".words", "\n".join(said) + "\n")

    def training(self, name, run, *words):
        """A training, its parameters and its losses."""
        self.answer(name, *words, "--out", run)
        self.item(name + ".params", tensors(self.folder / run / "model.safetensors"))
        self.item(name + ".losses", columns((self.folder / run / "metrics.csv").read_text()))


class Number(str):
    """A number of JSON, as it was printed."""


def numbers(value):
    """Without the texts: a better sentence changes no bit."""
    if isinstance(value, dict):
        return {key: numbers(inner) for key, inner in value.items() if key not in UNSTEADY and not is_text(inner)}
    if isinstance(value, list):
        return [numbers(inner) for inner in value if not is_text(inner)]
    return value


def words_of(value, place=""):
    """PLACE: TEXT of every text."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in UNSTEADY:
                yield from words_of(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from words_of(inner, f"{place}.{number}")
    elif is_text(value):
        yield f"{place}: {value}"


def is_text(value):
    return isinstance(value, str) and not isinstance(value, Number)


def tensors(path):
    """A line for each tensor, by name: type, shape and the hash of its bytes."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    header.pop("__metadata__", None)
    return "".join(f"{name} {t['dtype']} {t['shape']} {hashlib.sha256(data[slice(*t['data_offsets'])]).hexdigest()}\n"
                   for name, t in sorted(header.items()))


def members(path):
    """A line for each array of an .npz, by name."""
    with zipfile.ZipFile(path) as archive:
        return "".join(f"{name} {hashlib.sha256(archive.read(name)).hexdigest()}\n"
                       for name in sorted(archive.namelist()))


def columns(text):
    rows = list(csv.DictReader(io.StringIO(text)))
    return "".join(",".join(f"{name}={row[name]}" for name in LOSSES if name in row) + "\n" for row in rows)


def forecast_preset(b, data):
    etth1 = data / "forecast" / "ETTh1.csv"
    if not etth1.is_file():
        sys.exit(f"{etth1} is not there: --data FOLDER is the folder of forecast/ETTh1.csv, and --quick does without")
    b.training("forecast/etth1-96", "etth1", "forecast", "train", "--preset", "etth1-96", "--epochs", 2,
               "--data", etth1, *FORECAST)


def forecast_default(b):
    b.run("data", "make", "tide", "tide.csv", "--rows", 1000)
    b.file("data/tide", "tide.csv")
    b.training("forecast/tide", "tide", "forecast", "train", "--data", "tide.csv", *FORECAST)
    for use in "model", "last-value", "seasonal-naive", "linear":
        b.item(f"forecast/tide/predict-{use}.bytes", b.run("forecast", "predict", "tide", "--use", use, *FORECAST))
    b.answer("forecast/tide/predict", "forecast", "predict", "tide", "--data", "tide.csv", *FORECAST)
    b.answer("forecast/tide/evaluate", "forecast", "evaluate", "--model", "tide", "--data", "tide.csv",
             "--save-predictions", "kept.npz", "--threads", THREADS)
    b.item("forecast/tide/evaluate.arrays", members(b.folder / "kept.npz"))


def forecast_variants(b):
    b.run("data", "make", "tide", "short.csv", "--rows", 400, "--seed", 5)
    for name, options in VARIANTS.items():
        b.training(f"forecast/{name}", f"v-{name}", "forecast", "train", "--data", "short.csv", *TINY, *options,
                   *FORECAST)
        b.item(f"forecast/{name}/predict.bytes", b.run("forecast", "predict", f"v-{name}", *FORECAST))


def data_sets(b):
    size = ["--n_ground_truths", 10, "--points", 6, "--n_workers", THREADS]
    for name, options in {"shards": [], "f64": ["--dtype", "f64", "--grid", "full"], "csv": ["--format", "csv"],
                          "generator": ["--profile", "generator", "--resnorm", "rmse"]}.items():
        folder = f"set-{name}"
        b.answer(f"eis/generate/{name}", "eis", "generate", "--data_dir", folder, *size, *options)
        for path in sorted((b.folder / folder).iterdir()):
            if path.is_file():
                b.file(f"eis/generate/{name}/{path.name}", path)
    b.answer("eis/generate/stats", "eis", "generate", "--stats-only", "--n_ground_truths", 2, "--n_workers", THREADS)


def known_inputs(b, quick):
    small = ["--samples_per_pattern", 400, "--hidden_dim", 64, "--n_epochs", 4 if quick else 40]
    runs = {"known": ["--data_dir", "set-shards"],
            "known-all": ["--data_dir", "set-csv", "--masks", "all", "--pool", "best:50", "--split", "row",
                          "--samples_per_pattern", 100],
            "known-guide": ["--data_dir", "set-shards", "--compat-guide", "--precision", "bf16"]}
    for name, options in runs.items():
        b.training(f"eis/{name}", name, "eis", "train", "--inputs", "known", *small, *options, *EIS)
        b.item(f"eis/{name}.arrays", members(b.folder / name / "best_eis_predictor_mlx.npz"))
    b.answer("eis/known/evaluate", "eis", "evaluate", "known", "--test-spectra", 200, *EIS)
    b.answer("eis/guide", "eis", "--mode", "train", "--data_dir", "set-shards", *small, "--seed", 3, *EIS)
    b.answer("eis/guide/inference", "eis", "--mode", "inference", "--known", "Rsh=460,Ra=4820,Rb=2210", *EIS)
    b.answer("eis/guide/demo", "eis", "--mode", "inference", "--data_dir", "set-shards", *EIS)


def spectra(b, quick):
    size = ["--pool-spectra", 2048, "--batch-size", 64, "--hidden-dim", 32, "--n-epochs", 2 if quick else 20]
    for recipe in "lab", "grid":
        b.training(f"eis/{recipe}", recipe, "eis", "train", "--recipe", recipe, *size, *EIS)
    b.answer("eis/lab/evaluate", "eis", "evaluate", "lab", "--test-spectra", 4 if quick else 64, *EIS)
    b.answer("eis/grid/evaluate", "eis", "evaluate", "grid", "--test-spectra", 4 if quick else 32, "--noise", "0.5%,2%",
             *EIS)


def completions(b):
    circuit = "Rsh=460,Ra=4820,Rb=2210,Ca=1.2uF,Cb=4.7uF"
    b.run("eis", "simulate", "well.csv", "--known", circuit, "--rs", 20)
    b.run("eis", "simulate", "chain.csv", "--circuit", "chain", "--known", circuit, "--noise", "0.3%", "--seed", 9)
    b.file("eis/simulate/well", "well.csv")
    b.file("eis/simulate/chain", "chain.csv")
    some, most = ["--known", "Rsh=460"], ["--known", "Rsh=460,Ra=4.82k,Rb=2.21k"]
    lab, grid = ["--method", "network", "--model", "lab"], ["--method", "network", "--model", "grid", "--rs", 0]
    questions = {"exact": ["--method", "exact", "--noise", "1%", *some],
                 "exact-rs": ["--method", "exact", "--rs", 20, "--top-k", 3],
                 "refined": ["--noise", "1%"], "refined-some": ["--rs", "free", *some],
                 "refined-fixed": ["--rs", 20, "--seed", 5, *most],
                 "lab": [*lab, *most], "lab-alone": [*lab, "--no-rerank", *some],
                 "grid": [*grid, *most], "grid-alone": [*grid, "--no-rerank", *some]}
    for name, words in questions.items():
        b.answer(f"eis/complete/{name}", "eis", "complete", "--spectrum", "well.csv", "--no-plots", *words)
    for method in "exact", "refined":
        b.answer(f"eis/complete/chain-{method}", "eis", "complete", "--circuit", "chain", "--spectrum", "chain.csv",
                 "--method", method, "--no-plots", *some)
    b.answer("eis/complete/known", "eis", "complete", "--method", "network", "--model", "known", "--no-plots", *most)
    b.answer("eis/complete/prior", "eis", "complete", "--no-plots", *most)
    b.item("eis/complete/batch.bytes",
           b.run("eis", "complete", "--method", "exact", "--no-plots", "well.csv", "chain.csv"))


def main():
    parser = argparse.ArgumentParser(description="hashes of what must not change; the head of this file says of what")
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, default=SHARED / "data", help="the folder of forecast/ETTh1.csv")
    parser.add_argument("--quick", action="store_true", help="without etth1-96, and shorter trainings: other lines")
    parser.add_argument("--keep", type=pathlib.Path, help="write what is hashed into this folder")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        b = Bits(o.program.resolve(), folder, o.keep)
        forecast_default(b)
        forecast_variants(b)
        data_sets(b)
        known_inputs(b, o.quick)
        spectra(b, o.quick)
        completions(b)
        if not o.quick:
            forecast_preset(b, o.data.resolve())


if __name__ == "__main__":
    main()
