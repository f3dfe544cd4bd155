#!/usr/bin/env python3
"""What earlier versions wrote is still read: their runs are resumed, their models forecast, complete and are scored,
their data sets are trained on, and the answers are those that the version itself gave. make.sh made the archives beside
this file and says what is in them. Numbers and choices are compared, not clocks, places, sentences and later additions.

  test_compat.py                  numbers within the tolerances below
  test_compat.py exact            to the last bit, which holds only with a processor and a compiler like the archive's
  test_compat.py hashes FILE      type, shape and hash of every tensor of a .safetensors, for make.sh"""
import csv
import fnmatch
import hashlib
import io
import json
import pathlib
import re
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import program
from program import Case

EXACT = "exact" in sys.argv[1:]
# Other instruction sets and compilers add f32 products in another order: each sum is off by some 1e-7 of its terms, and
# the steps of a training magnify that. Between AVX2 and SSE2 answers differ by 3e-6 at most, resumed trainings by 4e-5.
REL = 0 if EXACT else 1e-3
ABS = 0 if EXACT else 1e-6
# Within no tolerance: what a threshold decides; what the sampler of the continuous posterior drew, which has no part in
# what is read and goes another way after one step that is rounded otherwise; and the bias of attention's keys, whose
# gradient is rounding alone.
SAMPLED = {"beside_continuous_posterior", "answer"}
UNSTABLE = set() if EXACT else {"identifiable", "bound_hits", "beaten_by_baseline"} | SAMPLED

CLOCKS = {"seconds", "train_s", "wall_s", "step_ms", "compile_ms", "first_step_ms", "samples_per_s", "spectra_per_s",
          "peak_rss_mib", "rss_mib"}
PLACES = {"version", "run", "folder", "model", "report", "spectrum"}
SENTENCES = {"message", "quantities", "notes"}
LEFT_OUT = CLOCKS | PLACES | SENTENCES | UNSTABLE

# What was changed on purpose since an archive was made: answers, places in them.
CHANGED = {
    "0.1.0-8ffb395": [
        # The seasonal naive looks behind the window for a longer season; the linear one is fitted on what is forecast.
        ("scores finished config forecast/stopped forecast/scaled replaced", "/baselines/seasonal_naive/*"),
        ("scores finished config", "/baselines/linear/*"),
        # Errors in original units are given by column where columns have units of their own.
        ("forecast/stopped forecast/scaled replaced", "*/original/mse */original/mae */original/rmse"),
        # Intervals of grid values reach to the edges of their cells; an interval without width is none.
        ("grid known known-npz known-resumed known-resumed-2", "/intervals_95/*"),
        ("demo", "*/intervals_95/TER"),
        # "can be told" became "can be determined", and no command stands in what the library says.
        ("known known-npz known-resumed known-resumed-2 inference", "/note"), ("demo", "/network_answer/note"),
        # The curve of circuits with one spectrum is told where nothing else is known.
        ("lab lab-alone grid", "/fibre"),
        # A new training draws its masks with 16 bits an element, and sums over rows by blocks; a resumed one goes on as
        # it began. A learning rate of 0.4 makes much of rounding.
        ("replaced", "/best_epoch /best_val_loss /by_column/* /direction/* /horizon/* /original/* /test/*"),
        ("shards csv guide-replaced", "/best_epoch /best_val_loss /val_acc /validation/*"),
    ],
}


def tensors(path):
    """name: type, shape, bytes"""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    header.pop("__metadata__", None)
    return {name: (t["dtype"], t["shape"], data[slice(*t["data_offsets"])]) for name, t in sorted(header.items())}


def hashes(path):
    return {name: [kind, *shape, hashlib.sha256(data).hexdigest()]
            for name, (kind, shape, data) in tensors(path).items()}


def values(path):
    return {name: list(memoryview(data).cast("f")) for name, (kind, _, data) in tensors(path).items()
            if kind == "F32" and (EXACT or not name.endswith("key_projection.bias"))}


def cell(text):
    try:
        return float(text)
    except ValueError:
        return text


def table(text):
    return [{name: cell(value) for name, value in row.items()} for row in csv.DictReader(io.StringIO(text))]


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def plain(text):
    """An option is `epochs` in what the library says, and was --epochs."""
    return re.sub(r"`([\w-]+)`|--([a-z][\w-]*)", r"\1\2", text)


def alike(was, now):
    if isinstance(was, str) and isinstance(now, str): return plain(was) == plain(now)
    if not (is_number(was) and is_number(now)): return was == now
    return was == now or abs(was - now) <= ABS + REL * max(abs(was), abs(now))


def differences(was, now, place=""):
    """(place, what) where `now` lacks something of `was` or has another value; what it has besides is no difference."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in was.keys() - LEFT_OUT:
            if key in now: yield from differences(was[key], now[key], f"{place}/{key}")
            else: yield f"{place}/{key}", "gone"
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for number, pair in enumerate(zip(was, now)):
            yield from differences(*pair, f"{place}/{number}")
    elif not alike(was, now):
        yield place, f"was {was!r:.80}, now {now!r:.80}"


class Compat(Case):
    def unpack(self, archive):
        """The archive's root, and what it asks: (name, folder, words)."""
        with tarfile.open(archive) as packed:
            packed.extractall(self.folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        root = self.folder / archive.name.removesuffix(".tar.xz")
        for run in root.glob("*/stopped"):
            (run / ".lock").touch()  # as a run that was killed leaves it
        return root, [line.split(maxsplit=2) for line in (root / "questions").read_text().splitlines()]

    def pairs(self, root, name, said):
        """What was and is, each with its place: an answer, or all of a resumed run."""
        was, now = root / "answers" / name, root / name
        if was.suffix == ".csv": return [("", table(was.read_text()), table(said))]
        if was.suffix == ".json": return [("", json.loads(was.read_text()), json.loads(said))]
        of = {end: was.with_name(f"{was.name}.{end}") for end in ("json", "csv", "safetensors", "hashes")}
        found = [("", json.loads(of["json"].read_text()), json.loads(said)),
                 ("metrics.csv", table(of["csv"].read_text()), table((now / "metrics.csv").read_text()))]
        if of["safetensors"].exists():
            found.append(("model.safetensors", values(of["safetensors"]), values(now / "model.safetensors")))
        if EXACT: found.append(("hashes", json.loads(of["hashes"].read_text()), hashes(now / "model.safetensors")))
        return found

    def ask(self, root, name, folder, words):
        env = {"XDG_CACHE_HOME": self.folder / "cache", "OMP_NUM_THREADS": 1}
        said = self.code(0, *words.split(), cwd=root / folder, env=env).stdout
        changed = [place for answers, places in CHANGED.get(root.name, [])
                   if name.removesuffix(".json") in answers.split() for place in places.split()]
        found = [f"{place}: {what}" for start, was, now in self.pairs(root, name, said)
                 for place, what in differences(was, now, start) if not any(fnmatch.fnmatch(place, c) for c in changed)]
        if found: self.fail(f"{words}: {len(found)} differences\n" + "\n".join(found[:20]))

    def test_answers(self):
        archives = sorted(HERE.glob("*.tar.xz"))
        self.assertTrue(archives, "no archive is beside this file")
        for archive in archives:
            root, questions = self.unpack(archive)
            for question in questions:
                with self.subTest(archive=root.name, name=question[0]):
                    self.ask(root, *question)


if __name__ == "__main__":
    if sys.argv[1:2] == ["hashes"]:
        print(json.dumps(hashes(pathlib.Path(sys.argv[2])), indent=0))
    else:
        sys.argv[1:] = [word for word in sys.argv[1:] if word != "exact"]
        program.main("test_compat")
