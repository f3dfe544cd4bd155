#!/usr/bin/env python3
"""How many requests a second the service answers, and how long the slowest hundredth waits: wrk on loopback, on the same cores.

    python3 bench/serve/rates.py build/cli/tidemill --data ETTh1.csv --work W > table.md      (needs wrk)

A forecaster of the published ETTh1-96 size and networks of the recipes lab and grid are trained for a moment first (W keeps them): what they know does not change
how long they take. Each case is run three times in turn with all others; told are the medians."""
import argparse
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import tempfile
import urllib.request

LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = io.open(os.getenv("BODY"), "rb"):read("*a")
local other = 0
response = function(status) if status ~= 200 then other = other + 1 end end
"""


def call(base, path, body):
    request = urllib.request.Request(base + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def start(program, models, scratch, queue=256):
    port = 8791
    child = subprocess.Popen([program, "serve", "--port", str(port), "--models", models, "--state", scratch / "state", "--queue", str(queue), "--access-log=no"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in child.stderr:
        if "serves http" in line:
            return child, f"http://127.0.0.1:{port}"
    raise SystemExit("the service did not start")


def models_of(words):
    """Trained once: few steps are enough."""
    folder = words.work / "models"
    if not (folder / "etth1/model.safetensors").exists():
        subprocess.run([words.program, "forecast", "train", "--data", words.data, "--preset", "etth1-96", "--epochs", "1", "--out", folder / "etth1", "--no-plots", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
    for recipe in ("lab", "grid"):
        if not (folder / recipe / "model.safetensors").exists():
            subprocess.run([words.program, "eis", "train", "--recipe", recipe, "--out", folder / recipe, "--max-minutes", "0.5", "--no-plots", "--quiet"], check=True,
                           stdout=subprocess.DEVNULL)
    return folder


def cases_of(base, data):
    freq = [10 ** (5 - i / 10) for i in range(61)]
    truth = {"Rsh": 460, "Ra": 4800, "Rb": 2200, "Ca": 1.2e-6, "Cb": 4.7e-6}
    made = call(base, "/api/v1/eis/simulate", {"known": truth, "options": {"rs": "20", "noise": "1%", "seed": 7}, "freq_hz": freq})
    spectrum = {k: made[k] for k in ("freq_hz", "z_re_ohm", "z_im_ohm")}
    rows = [line.split(",") for line in pathlib.Path(data).read_text().splitlines()]
    past = {"time": [row[0] for row in rows[-96:]], "columns": {name: [float(row[i]) for row in rows[-96:]] for i, name in enumerate(rows[0]) if i}}

    four = {"Rsh": 460, "Ra": 4800, "Rb": 2200, "Ca": 1.2e-6}

    def complete(known=None, **options):
        return "/api/v1/eis/complete", {"spectrum": spectrum, **({"known": known} if known else {}), **({"model": options.pop("model")} if "model" in options else {}), "options": options}
    return {
        "health": ("/healthz", None),
        "exact, Rs free, noise found": complete(method="exact", rs="free"),
        "exact, Rs given, noise found": complete(method="exact", rs="20"),
        "exact, Rs and noise given": complete(method="exact", rs="20", noise="1%"),
        "exact, Rs, noise and Rsh given": complete(method="exact", rs="20", noise="1%", known={"Rsh": 460}),
        "lab network, re-ranked, one missing": complete(method="network", model="lab", rs="20", noise="1%", known=four),
        "lab network, re-ranked, four missing, noise found": complete(method="network", model="lab", known={"Rsh": 460}),
        "grid network, re-ranked, one missing": complete(method="network", model="grid", rs="20", noise="1%", known=four),
        "grid network, re-ranked, four missing, noise found": complete(method="network", model="grid", rs="20", known={"Rsh": 460}),
        "grid network, re-ranked, five missing": complete(method="network", model="grid", rs="20", noise="1%"),
        "forecast ETTh1-96": ("/api/v1/forecast/predict", {"model": "etth1", "past": past}),
    }


def rate(base, path, body, connections, seconds, scratch):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", base + path]
    env = dict(os.environ)
    if body is not None:
        (scratch / "post.lua").write_text(LUA)
        (scratch / "body.json").write_text(json.dumps(body))
        command[1:1] = ["-s", scratch / "post.lua"]
        env["BODY"] = str(scratch / "body.json")
    said = subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, env=env).stdout
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), float(slow[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[slow[2]], int(bad[1]) if bad else 0)


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("program", type=pathlib.Path)
    parse.add_argument("--data", required=True)
    parse.add_argument("--work", required=True, type=pathlib.Path)
    parse.add_argument("--connections", type=int, default=16)
    parse.add_argument("--seconds", type=int, default=5)
    words = parse.parse_args()
    words.program = words.program.resolve()
    folder = models_of(words)
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        child, base = start(words.program, folder, scratch)
        try:
            cases, told = cases_of(base, words.data), {}
            for key, (path, body) in cases.items():
                if body is not None:
                    call(base, path, body)  # an error is told before anything is timed
            for _ in range(3):
                for key, (path, body) in cases.items():
                    told.setdefault(key, []).append(rate(base, path, body, words.connections, words.seconds, scratch))
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(timeout=60)
    print(f"| case, {words.connections} connections | requests/s | p99 ms | refused |\n| --- | --- | --- | --- |")
    for key, runs in told.items():
        print(f"| {key} | {statistics.median(r[0] for r in runs):,.0f} | {statistics.median(r[1] for r in runs):.1f} | {sum(r[2] for r in runs)} |")


if __name__ == "__main__":
    main()
