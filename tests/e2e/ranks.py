"""What mpirun needs here, trainings that several ranks share, and what a run leaves, without what no two runs have alike."""
import csv
import json
import os
import pathlib
import re
import shutil
import subprocess

import program
from program import Case

PLUGIN = os.environ.get("RANKS_PLUGIN", "")
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

FORECASTER = ["forecast", "train", "--seq-len", 24, "--pred-len", 8, "--d-model", 32, "--d-ff", 32, "--e-layers", 1, "--n-heads", 4,
              "--batch-size", 12, "--patience", 0, "--threads", 1, "--cut", 4, "--no-plots"]
PREDICTOR = ["eis", "train", "--recipe", "grid", "--hidden-dim", 32, "--batch-size", 48, "--pool-spectra", 1024, "--epochs", 1, "--threads", 1,
             "--cut", 4, "--no-plots"]
KNOWN = ["eis", "train", "--inputs", "known", "--samples-per-pattern", 48, "--batch-size", 48, "--epochs", 2, "--hidden-dim", 16, "--threads", 1,
         "--cut", 4, "--no-plots"]


def missing():
    """Why nothing can be started here; empty: it can."""
    if not pathlib.Path(PLUGIN).is_file():
        return "the plug-in for MPI was not built: libopenmpi-dev is missing"
    if not shutil.which("mpirun"):
        return "mpirun is not installed: openmpi-bin is missing"
    said = subprocess.run(["mpirun", "--version"], capture_output=True, text=True).stdout
    return "" if "Open MPI" in said else "mpirun is not Open MPI's"


def command(count, *words, mpi=(), env=None):
    """What starts so many ranks, and its environment. mpi: more words for mpirun."""
    return (["mpirun", "--oversubscribe", "--bind-to", "none", *map(str, mpi), "-n", str(count), program.PROGRAM, *map(str, words)],
            program.environment(**{"TIDEMILL_MPI": PLUGIN, "TIDEMILL_CUDA": "none", "OMP_NUM_THREADS": 1, **ROOT, **(env or {})}))


def start(count, *words, mpi=(), env=None, **more):
    line, environment = command(count, *words, mpi=mpi, env=env)
    return subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def ours(stderr):
    """The program's own failures: mpirun adds words of its own."""
    return [line for line in stderr.splitlines() if line.startswith("tidemill: ") or line.startswith("stopped at ")]


def rank_pids(child):
    """Processes of the ranks of a running mpirun, by rank."""
    pids = {}
    for pid in subprocess.run(["pgrep", "-P", str(child.pid)], capture_output=True, text=True).stdout.split():
        try:
            words = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        number = re.search("OMPI_COMM_WORLD_RANK=([0-9]+)", words)
        if number:
            pids[int(number[1])] = int(pid)
    return pids


def tensors(path):
    """A safetensors file's header, without seconds, and its data."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    meta = {k: v for k, v in header.pop("__metadata__", {}).items() if "seconds" not in k and k != "metrics_bytes"}
    return meta, header, data[8 + length:]


def metrics(path):
    """metrics.csv without seconds and memory."""
    with open(path, newline="") as file:
        return [{k: v for k, v in row.items() if k not in ("seconds", "rss_mib")} for row in csv.DictReader(file)]


class RanksCase(Case):
    def setUp(self):
        super().setUp()
        self.series = program.write_series(self.folder / "series.csv", rows=360)

    def mpirun(self, expected, count, *words, mpi=(), env=None, timeout=120, **more):
        line, environment = command(count, *words, mpi=mpi, env=env)
        done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=timeout, **more)
        self.assertEqual(done.returncode, expected, f"{line}\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
        return done

    def alone(self, *words):
        return self.code(0, *words, env={"TIDEMILL_CUDA": "none", "OMP_NUM_THREADS": 1})

    def same_runs(self, a, b):
        for name in ("model.safetensors", "state.safetensors"):
            for one, other, what in zip(tensors(a / name), tensors(b / name), ("metadata", "header", "data")):
                self.assertEqual(one, other, f"{name}: {what} of {a.name} and {b.name}")
        self.assertEqual(metrics(a / "metrics.csv"), metrics(b / "metrics.csv"))
