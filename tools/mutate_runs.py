#!/usr/bin/env python3
"""Whole folders, damaged, against the program: runs, data, spectra and configuration of both applications are made once, then one
file of a copy is changed and a command that reads it runs. Told: crashes, hangs, exit codes that are none of ours, sanitizers'
reports, and an answer with exit 0 that holds a number which is none. The same seed changes the same bytes.

  CC=clang meson setup build-asan -Db_sanitize=address,undefined -Db_lundef=false && ninja -C build-asan cli/tidemill
  tools/mutate_runs.py build-asan/cli/tidemill --runs 2000 -j 2
"""
import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

OUR_CODES = {0, 1, 2, 3, 4}
REPORTS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "ThreadSanitizer", "MemorySanitizer")
NO_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:nan|inf|infinity)(?![\w.])", re.IGNORECASE)
NUMBERS = (0, -1, 1, 127, 255, 256, 65536, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, -2**63, 1e308, 1e-308, 0.5)
VALUES = (*NUMBERS, "", "nan", "x" * 5000, None, True, False, [], {}, [[[]]], [0] * 1000)
FLOATS = (math.nan, math.inf, -math.inf, 1e38, -1e38, 1e-45, 0.0, -0.0)

FORECAST = ["--seq-len", "16", "--pred-len", "4", "--d-model", "8", "--d-ff", "8", "--n-heads", "2", "--e-layers", "1", "--batch-size", "16",
            "--epochs", "2", "--threads", "1", "--no-plots"]
EIS = ["--inputs", "known", "--samples_per_pattern", "60", "--hidden_dim", "16", "--n_epochs", "2", "--n_workers", "1", "--no-plots",
       "--data_dir", "data"]

SEARCH = ["forecast", "tune", "--data", "series.csv", "--trials", "4", *FORECAST, "--epochs", "3"]

# Each: its words, and the files that it reads.
COMMANDS = [
    (["forecast", "predict", "run"], ["run/model.safetensors"]),
    (["forecast", "predict", "run", "--data", "series.csv", "--json"], ["run/model.safetensors", "series.csv"]),
    (["forecast", "predict", "run", "--use", "best"], ["run/model.safetensors"]),
    (["forecast", "evaluate", "--model", "run", "--data", "series.csv", "--json"], ["run/model.safetensors", "series.csv"]),
    (["forecast", "backtest", "run", "--data", "series.csv", "--windows", "2", "--refit-every", "1", "--warm-start", "--epochs", "1", "--level", "80"],
     ["run/model.safetensors", "run/run.json", "series.csv"]),
    (["forecast", "train", "--data", "series.csv", "--out", "run", "--resume", "must", *FORECAST],
     ["run/state.safetensors", "run/run.json", "run/metrics.csv", "series.csv", "run/.tidemill/files"]),
    (["forecast", "train", "--from", "run", "--data", "series.csv", "--out", "new", "--epochs", "1", "--threads", "1", "--no-plots", "--keep-scaler"],
     ["run/model.safetensors", "series.csv"]),
    (["forecast", "update", "run", "--data", "series.csv", "--rows", "9", "--steps", "2", "--out", "new", "--threads", "1"],
     ["run/model.safetensors", "run/run.json", "series.csv"]),
    (["forecast", "predict", "run", "--data", "series.csv", "--other-columns", "--no-plots"], ["run/model.safetensors", "series.csv"]),
    ([*SEARCH, "--out", "tuned", "--space", "d-ff=8..16;dropout=0,0.1", "--seeds", "2", "--resume"],
     ["tuned/tune.jsonl", "tuned/tune.jsonl", "tuned/.tidemill/files", "tuned/best/run.json", "tuned/best/state.safetensors"]),
    ([*SEARCH, "--out", "new", "--space", "space.txt"], ["space.txt"]),
    (["forecast", "train", "--config", "config.json", "--out", "new", "--epochs", "1", "--no-plots"], ["config.json", "series.csv"]),
    (["eis", "complete", "--known", "Rsh=460,Ra=4.8k,Rb=2.2k", "--model", "known", "--json"], ["known/model.safetensors"]),
    (["eis", "complete", "--known", "Ra=4.8k,Rb=2.2k,Cb=3u", "--spectrum", "spectrum.csv", "--json"], ["spectrum.csv"]),
    (["eis", "evaluate", "known", "--n_workers", "1", "--no-plots", "--json"], ["known/model.safetensors", "known/run.json"]),
    (["eis", "train", "--out", "known", "--resume", *EIS], ["known/state.safetensors", "known/run.json", "known/metrics.csv", "data/*"]),
]


def write_inputs(folder):
    (folder / "space.txt").write_text("d-ff=8,16  # widths\nlearning-rate=1e-4..1e-2 log; seq-len=8..16\narch=itransformer,dlinear\n")
    rows = [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d},{10 + 3 * math.sin(i / 4):.4f},{math.cos(i / 3):.4f}" for i in range(200)]
    (folder / "series.csv").write_text("date,load,OT\n" + "\n".join(rows) + "\n")
    spectrum = ["frequency_hz,z_re_ohm,z_im_ohm"]
    for k in range(30):
        f = 10 ** (k / 6)
        z = 20 + 460 / (1 + 2j * math.pi * f * 460 * 3e-6)
        spectrum.append(f"{f:.6g},{z.real:.6g},{z.imag:.6g}")
    (folder / "spectrum.csv").write_text("\n".join(spectrum) + "\n")
    (folder / "config.json").write_text(json.dumps({"data": "series.csv", **{FORECAST[i][2:]: int(FORECAST[i + 1]) for i in range(0, 18, 2)}}))


def run(program, words, folder, timeout):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1", "LC_ALL": "C.UTF-8",
                   "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1"}
    return subprocess.run([program, *words], cwd=folder, env=environment, capture_output=True, text=True, errors="replace", timeout=10 * timeout,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (timeout, timeout + 1)))


def make(program, folder):
    """The sound folder that every run begins with."""
    write_inputs(folder)
    for words in (["forecast", "train", "--data", "series.csv", "--out", "run", *FORECAST],
                  [*SEARCH, "--out", "tuned", "--space", "d-ff=8..16;dropout=0,0.1"],
                  ["eis", "generate", "--data_dir", "data", "--n_ground_truths", "3", "--points", "4", "--n_workers", "1"],
                  ["eis", "train", "--out", "known", *EIS]):
        done = run(program, words, folder, 600)
        if done.returncode != 0:
            sys.exit(f"mutate_runs: {' '.join(words)}: {done.stderr}")


def check_sound(program, sound):
    """A command that refuses the sound folder would refuse every changed one, and show nothing."""
    for words, _ in COMMANDS:
        with tempfile.TemporaryDirectory(dir=sound.parent) as name:
            folder = pathlib.Path(name) / "d"
            shutil.copytree(sound, folder)
            done = run(program, words, folder, 600)
        if done.returncode != 0:
            sys.exit(f"mutate_runs: nothing is changed, and tidemill {' '.join(words)} gives {done.returncode}: {done.stderr}")


# ---- changes ----

def flip(r, data):
    for _ in range(r.choice((1, 2, 8))):
        if data:
            data[r.randrange(len(data))] ^= 1 << r.randrange(8)
    return data


def cut(r, data):
    at = r.randrange(len(data) + 1)
    return r.choice((data[:at], data[at:], data[:at] + bytes(r.randrange(64)) + data[at:], data[:at] + data[at // 2:]))


def number_of_header(r, data):
    at = r.randrange(max(1, min(len(data) - 8, 256)))
    data[at:at + 8] = struct.pack("<Q", r.choice((0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)))
    return data


def special_float(r, data):
    at = r.randrange(max(1, len(data) - 8)) & ~3
    value = r.choice(FLOATS)
    data[at:at + 4] = struct.pack("<f", value) if r.random() < 0.7 else struct.pack("<d", value)[4:]
    return data


def cell(r, data):
    """A cell of a table, or a word of a text."""
    text = data.decode("latin-1")
    cells = list(re.finditer(r"[^,\n;]+", text))
    if not cells:
        return data
    at = r.choice(cells)
    new = r.choice(("nan", "inf", "-inf", "", "1e308", "-1e308", "1e-320", "99999999999999999999", "x", '"', "2024-02-30", "0", "-0", "\x00", "=1+1"))
    return bytearray((text[:at.start()] + new + text[at.end():]).encode("latin-1"))


def paths_of(value, path=()):
    if path:
        yield path
    if isinstance(value, (dict, list)):
        for key in (value if isinstance(value, dict) else range(min(len(value), 50))):
            yield from paths_of(value[key], (*path, key))


def change_json(r, text):
    root = json.loads(text)
    paths = list(paths_of(root))
    if not paths:
        return text
    for _ in range(r.choice((1, 1, 2))):
        path = r.choice(paths)
        at = root
        try:
            for key in path[:-1]:
                at = at[key]
            if r.random() < 0.15:
                del at[path[-1]]
            else:
                at[path[-1]] = r.choice(VALUES)
        except (KeyError, IndexError, TypeError):
            pass
    return json.dumps(root)


def json_value(r, data):
    """A member anywhere in a JSON file, in a safetensors header, or in the JSON that its metadata hold."""
    try:
        return bytearray(change_json(r, data.decode()).encode())
    except (UnicodeDecodeError, ValueError):
        pass
    try:
        size = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + size])
        metadata = header.get("__metadata__", {})
        inner = [k for k, v in metadata.items() if v.startswith("{")]
        if inner and r.random() < 0.8:
            key = r.choice(inner)
            metadata[key] = change_json(r, metadata[key])
        elif metadata and r.random() < 0.7:
            metadata[r.choice(list(metadata))] = str(r.choice(VALUES))
        else:
            header = json.loads(change_json(r, json.dumps(header)))
    except (ValueError, struct.error, AttributeError):
        return flip(r, data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return bytearray(struct.pack("<Q", len(text)) + text) + data[8 + size:]


def json_line(r, data):
    """A line of a journal: changed, lost, or there twice."""
    lines = data.decode("latin-1").splitlines(keepends=True)
    at = r.randrange(len(lines))
    lines[at] = r.choice((lambda line: "", lambda line: line + line, lambda line: json_value(r, line.encode("latin-1")).decode("latin-1") + "\n"))(lines[at])
    return bytearray("".join(lines).encode("latin-1"))


def change(r, data, name):
    ways = [flip, cut, json_value, json_value]
    ways += [cell, cell, cell] if name.endswith(".csv") else [special_float, number_of_header]
    if name.endswith(".jsonl"):
        ways = [flip, cut, json_line, json_line, json_line, json_line]
    elif name.endswith(".txt"):
        ways = [flip, cut, cell, cell, cell]
    return bytes(r.choice(ways)(r, bytearray(data)))


# ---- one run ----

def judge(done):
    if -done.returncode == signal.SIGXCPU:
        return "hang"
    if done.returncode < 0:
        return f"ended by signal {-done.returncode}"
    if done.returncode not in OUR_CODES:
        return f"exit {done.returncode}"
    if any(report in done.stderr for report in REPORTS):
        return "sanitizer"
    if done.returncode == 0 and NO_NUMBER.search(done.stdout):
        return "exit 0 with a number that is none"
    if done.returncode != 0 and not done.stderr.strip() and not done.stdout.strip():
        return f"exit {done.returncode} without a word"
    return None


def attempt(program, sound, seed, number, timeout):
    r = random.Random(f"{seed}/{number}")
    words, patterns = COMMANDS[number % len(COMMANDS)]
    with tempfile.TemporaryDirectory(dir=sound.parent) as name:
        folder = pathlib.Path(name) / "d"
        shutil.copytree(sound, folder)
        files = sorted(f for pattern in patterns for f in folder.glob(pattern) if f.is_file())
        target = r.choice(files)
        target.write_bytes(change(r, target.read_bytes(), target.name))
        what = f"run {number}: {target.relative_to(folder)}: tidemill {' '.join(words)}"
        try:
            done = run(program, words, folder, timeout)
        except subprocess.TimeoutExpired:
            return what, "hang", None, ""
        fault = judge(done)
        return what, fault, done.returncode, (done.stdout[-800:] + done.stderr[-1500:]) if fault else ""


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("program")
    options.add_argument("--runs", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", type=int, help="this run alone")
    options.add_argument("--timeout", type=int, default=20, help="seconds of computing, or ten times that by the clock, after which a run hangs")
    options.add_argument("-j", type=int, default=2)
    o = options.parse_args()
    program = str(pathlib.Path(o.program).resolve())
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    codes, faults = {}, 0
    with tempfile.TemporaryDirectory(dir=place) as top, concurrent.futures.ThreadPoolExecutor(o.j) as pool:
        sound = pathlib.Path(top) / "sound"
        sound.mkdir()
        make(program, sound)
        check_sound(program, sound)
        numbers = range(o.runs) if o.only is None else [o.only]
        for what, fault, code, said in pool.map(lambda n: attempt(program, sound, o.seed, n, o.timeout), numbers):
            codes[code] = codes.get(code, 0) + 1
            if fault:
                faults += 1
                print(f"{what}\n  {fault}\n{said}", flush=True)
    print(f"{len(numbers)} runs, {faults} faults; exit codes: {', '.join(f'{k}: {v}' for k, v in sorted(codes.items(), key=str))}")
    return faults > 0


if __name__ == "__main__":
    sys.exit(main())
