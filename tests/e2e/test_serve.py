#!/usr/bin/env python3
"""tidemill serve as its clients meet it: the commands' numbers, what is refused and how, what a client that leaves and a stop do."""
import csv
import gzip
import http.client
import json
import math
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest

import program
from program import Case

ROOT = pathlib.Path(__file__).resolve().parents[2]
KNOWN = "Rsh=460,Ra=4.8k,Rb=2.2k,Ca=3.7u,Cb=2u"
HOST = b"Host: localhost\r\n"
PATIENCE_S = 60  # for what must happen at all, on a machine that is busy


class Service:
    """The command in the foreground, on a port that it found itself. `log`: the access log so far, read anew."""

    def __init__(self, folder, *words):
        self.out = open(folder / "access.log", "w+b")
        self.process = subprocess.Popen([program.PROGRAM, "serve", "--port", "0", "--models", str(folder), *words], stdout=self.out,
                                        stderr=subprocess.PIPE, text=True, env=program.environment())
        self.ended = False
        line = self.process.stderr.readline()
        found = re.search(r"http://\S+?:(\d+)/", line)
        if not found:
            raise AssertionError(line + self.process.stderr.read())
        self.port = int(found.group(1))

    def fetch(self, path, headers=None, method="GET"):
        """Status, the answer's bytes as they came, its headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body, answer.headers

    def ask(self, method, path, body=None, headers=None):
        """Status and the answer, taken apart if it is JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        if not isinstance(body, (bytes, type(None))):
            body = json.dumps(body).encode()
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if "json" in answer.getheader("Content-Type", "") else text.decode(), answer

    def raw(self, data):
        """The first line that comes back for these bytes; "" if the connection is closed without a word."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as s:
            try:
                s.sendall(data)
                return s.makefile("rb").readline().decode().strip()
            except ConnectionError:
                return ""

    def log(self):
        self.out.seek(0)
        return [json.loads(line) for line in self.out.read().decode().splitlines()]

    def end(self):
        """Once: a second signal would not wait for anything."""
        if not self.ended:
            self.process.send_signal(signal.SIGTERM)
        self.ended = True

    def stop(self):
        self.end()
        code = self.process.wait(PATIENCE_S)
        self.process.stderr.close()
        self.out.close()
        return code


def until(what):
    end = time.monotonic() + PATIENCE_S
    while not what():
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        time.sleep(0.01)


class TestServe(Case):
    def setUp(self):
        super().setUp()
        self.spectrum = self.folder / "m.csv"
        self.code(0, "eis", "simulate", self.spectrum, "--known", KNOWN, "--rs", "10", "--noise", "0.5%", "-q")
        rows = list(csv.reader(self.spectrum.read_text().splitlines()))[1:]
        self.arrays = dict(zip(("freq_hz", "z_re_ohm", "z_im_ohm"), ([float(r[i]) for r in rows] for i in range(3))))

    def service(self, *words):
        s = Service(self.folder, *words)
        self.addCleanup(s.stop)
        return s

    def test_spectra_have_the_commands_numbers(self):
        s = self.service()
        for method in ("exact", "refined"):
            said = json.loads(self.code(0, "eis", "complete", "--spectrum", self.spectrum, "--known", "Rsh=460", "--method", method, "--json").stdout)
            status, got, _ = s.ask("POST", "/api/v1/eis/complete", {"spectrum": self.arrays, "known": {"Rsh": 460}, "options": {"method": method},
                                                                    "curve": True, "draws": method == "refined"})
            self.assertEqual(status, 200, got)
            for key in set(said) - {"schema_version", "command", "spectrum"}:
                self.assertEqual(got[key], said[key], (method, key))
            self.assertEqual(len(got["curve"]["z_re_ohm"]), len(self.arrays["freq_hz"]))
        self.assertAlmostEqual(sum(got["draws"]["weight"]), 1, places=6)
        status, of_file, _ = s.ask("POST", "/api/v1/eis/complete?method=exact&known=Rsh%3D460&name=well.csv", self.spectrum.read_bytes(),
                                   {"Content-Type": "text/csv"})
        self.assertEqual((status, of_file["spectrum"]), (200, "well.csv"))
        status, listed, _ = s.ask("POST", "/api/v1/eis/complete", {"spectra": [self.arrays, {**self.arrays, "z_im_ohm": [1.0] * len(self.arrays["freq_hz"])}],
                                                                   "options": {"method": "exact"}})
        self.assertEqual(status, 422, listed)  # an imaginary part that is positive throughout
        self.assertEqual(listed["errors"][0]["pointer"], "/spectra/1")

    def test_what_is_read_reads_back(self):
        s = self.service()
        status, made, _ = s.ask("POST", "/api/v1/eis/simulate", {"known": KNOWN, "options": {"rs": "10", "noise": "0.5%"}}, {"Accept": "text/csv"})
        self.assertEqual((status, made), (200, self.spectrum.read_text()))
        status, got, _ = s.ask("POST", "/api/v1/eis/read?name=well.DTA", self.spectrum.read_bytes(), {"Content-Type": "application/octet-stream"})
        self.assertEqual(status, 200, got)
        self.assertEqual({k: got["sweeps"][0][k] for k in self.arrays}, self.arrays)
        self.assertEqual(got["sweeps"][0]["name"], "well.DTA")
        for kind, key in (("check", "verdict"), ("drt", "peaks"), ("fit", "circuit")):
            status, got, _ = s.ask("POST", f"/api/v1/eis/{kind}", {"spectrum": self.arrays})
            self.assertEqual(status, 200, got)
            self.assertIn(key, got)

    def test_forecasts_have_the_commands_numbers(self):
        data = program.write_series(self.folder / "s.csv")
        run = self.folder / "waves"
        self.code(0, "forecast", "train", "--data", data, "--out", run, *program.SMALL, "--no-plots", "-q")
        said = list(csv.DictReader(self.code(0, "forecast", "predict", run, "--output", "-", "--no-plots", "-q").stdout.splitlines()))
        rows = list(csv.DictReader(data.read_text().splitlines()))
        names = [n for n in rows[0] if n != "date"]
        past = {"time": [r["date"] for r in rows], "columns": {n: [float(r[n]) for r in rows] for n in names}}
        s = self.service()
        self.assertEqual([m["id"] for m in s.ask("GET", "/api/v1/models")[1]["models"]], ["waves"])
        self.assertEqual(s.ask("GET", "/api/v1/models/waves")[1]["targets"], names)
        status, got, _ = s.ask("POST", "/api/v1/forecast/predict", {"model": "waves", "past": past, "level": [80]})
        self.assertEqual(status, 200, got)
        self.assertEqual(got["time"], [r["date"] for r in said])
        for n in names:
            for mine, theirs in zip(got["columns"][n], said):
                self.assertAlmostEqual(mine, float(theirs[n]), delta=1e-6 * abs(mine))  # the table has the shortest digits of a float
            self.assertTrue(all(a < b < c for a, b, c in zip(got["bands"][n]["80"]["low"], got["columns"][n], got["bands"][n]["80"]["high"])))
        status, read, _ = s.ask("POST", "/api/v1/forecast/read", data.read_bytes(), {"Content-Type": "text/csv"})
        self.assertEqual((status, read["columns"], read["time"]), (200, past["columns"], past["time"]))
        self.assertEqual((read["found"], read["notes"]), ({"freq": "h", "time-column": "date"}, []))
        long = "unique_id,ds,y\n" + "".join(f"{w},2024-01-0{i} 0{i}:00+01:00,{i}\n" for w in "AB" for i in range(1, 4))
        read = s.ask("POST", "/api/v1/forecast/read?tz=Europe/Berlin&freq=25h", long.encode(), {"Content-Type": "text/csv"})[1]
        self.assertEqual(read["found"], {"freq": "25h", "tz": "Europe/Berlin", "time-column": "ds", "id": "unique_id", "value": "y"}, read)
        self.assertIn("long format", read["notes"][0])
        self.check_tables(s, run, data, past)
        self.check_attention(s, past)
        del past["columns"]["OT"]
        status, got, _ = s.ask("POST", "/api/v1/forecast/predict", {"model": "waves", "past": past})
        self.assertEqual((status, got["errors"][0]["pointer"]), (422, "/past/columns/OT"))

    def check_tables(self, s, run, data, past):
        """Files and arrays: forecasts as CSV and JSON, baselines, scores."""
        table = {"Content-Type": "text/csv"}
        predict, evaluate = "/api/v1/forecast/predict", "/api/v1/forecast/evaluate"
        upload = s.ask("POST", "/api/v1/uploads?name=s.csv", data.read_bytes())[1]["id"]
        said = self.code(0, "forecast", "predict", run, "--data", data, "--level", "80", "--output", "-", "--no-plots", "-q").stdout
        for what, path, body, headers in (("a file", predict + "?model=waves&level=80", data.read_bytes(), table),
                                          ("an upload", predict, {"model": "waves", "upload": upload, "level": [80]}, {}),
                                          ("arrays", predict, {"model": "waves", "past": past, "level": [80]}, {})):
            status, got, answer = s.ask("POST", path, body, {**headers, "Accept": "text/csv"})
            self.assertEqual((status, answer.getheader("Content-Type"), got), (200, "text/csv", said), what)
        plain = s.ask("POST", predict, {"model": "waves", "past": past, "level": [80]})[1]
        for body in ({"model": "waves", "upload": upload}, {"model": "waves", "past": past}):
            status, got, _ = s.ask("POST", predict, {**body, "level": [80], "baselines": True})
            self.assertEqual((status, {k: got[k] for k in plain}), (200, plain), got)
            for name, column in past["columns"].items():
                self.assertEqual(got["baselines"]["last_value"][name], column[-1:] * 4)
                self.assertEqual(got["baselines"]["seasonal_naive"][name], column[-24:-20])
            self.assertEqual(set(got["baselines"]), {"last_value", "seasonal_naive", "linear"})
        status, short, _ = s.ask("POST", predict, {"model": "waves", "baselines": True, "past": {
            "time": past["time"][-16:], "columns": {n: c[-16:] for n, c in past["columns"].items()}}})
        self.assertEqual((status, set(short["baselines"])), (200, {"last_value", "linear"}))
        self.assertIn("seasonal_naive: a season is 24 rows", " ".join(short["notes"]))
        self.check_cuts(s, upload, data, past)
        scores = json.loads(self.code(0, "forecast", "evaluate", "--model", run, "--data", data, "--test", "50", "--json").stdout)
        for body, headers in ((data.read_bytes(), table), ({"model": "waves", "upload": upload, "options": {"test": 50}}, {}),
                              ({"model": "waves", "past": past, "options": {"test": 50}}, {})):
            status, got, _ = s.ask("POST", evaluate + ("?model=waves&test=50" if headers else ""), body, headers)
            self.assertEqual((status, got["run"]), (200, "waves"), got)
            self.assertEqual({k: got[k] for k in ("test", "original", "windows")}, {k: scores[k] for k in ("test", "original", "windows")})
        for path, body, status, pointer in (
            (predict, {"model": "waves", "past": past, "options": {"paths": 3}}, 422, "/options/paths"),
            (predict, {"model": "waves", "past": past, "baselines": True, "windows": 2}, 422, "/windows"),
            (predict, {"model": "waves", "upload": upload, "past": past}, 422, "/past"),
            (evaluate, {"model": "waves", "past": past, "options": {"pred-len": 9}}, 422, "/options/pred-len"),
            (evaluate, {"model": "waves", "upload": "x"}, 404, None), (evaluate, {"model": "waves"}, 422, "/past"),
        ):
            got = s.ask("POST", path, body)
            self.assertEqual((got[0], got[1].get("errors", [{}])[0].get("pointer")), (status, pointer), got[1])
        status, got, _ = s.ask("POST", evaluate + "?model=waves&name=own.csv", b"a,b\n1,x,2\n", table)
        self.assertEqual((status, "/proc/" in json.dumps(got)), (422, False), got)
        hurried = self.service("--deadline", "0.01", "--state", str(self.folder / "hurried"))
        status, got, answer = hurried.ask("POST", evaluate + "?model=waves", program.write_series(self.folder / "long.csv", 20000).read_bytes(), table)
        self.assertEqual((status, got["code"], answer.getheader("Retry-After")), (503, "deadline", "1"), got)
        self.assertIn("make it a job", got["detail"])

    def check_cuts(self, s, upload, data, past):
        """A forecast that begins within an upload is that of the rows before, as arrays; the upload is read once, and anew when the file has changed."""
        predict, read = "/api/v1/forecast/predict", "/api/v1/forecast/read"
        rows = len(past["time"])
        self.assertEqual(s.ask("POST", f"{read}?upload={upload}")[1], s.ask("POST", read + "?name=s.csv", data.read_bytes(), {"Content-Type": "text/csv"})[1])
        for cut in (16, 100, rows):
            before = {"time": past["time"][:cut], "columns": {n: c[:cut] for n, c in past["columns"].items()}}
            for more in {}, {"level": [80, 95]}, {"baselines": True}, {"options": {"use": "last-value"}}, {"options": {"freq": "h"}}:
                by_rows = s.ask("POST", predict, {"model": "waves", "past": before, **({} if "freq" in more.get("options", {}) else more)})
                by_cut = s.ask("POST", predict, {"model": "waves", "upload": upload, "cut": cut, **more})
                self.assertEqual(by_cut[:2], by_rows[:2], (cut, more))
        at = {"model": "waves", "upload": upload, "cut": 50}
        for wrong, status, pointer in ({"cut": 15}, 422, "/cut"), ({"cut": rows + 1}, 422, "/cut"), ({"cut": 0}, 422, "/cut"), ({"upload": "x"}, 404, None), (
                {"upload": None}, 422, "/cut"), ({"past": past}, 422, "/past"), ({"windows": 2}, 422, "/windows"), ({"options": {"ignore": "OT"}}, 422, "/upload"), (
                {"options": {"frex": 1}}, 422, "/options/frex"), ({"model": "none"}, 404, None):
            got = s.ask("POST", predict, {**at, **wrong})
            self.assertEqual((got[0], got[1].get("errors", [{}])[0].get("pointer")), (status, pointer), (wrong, got[1]))
        self.assertEqual(s.ask("POST", f"{read}?upload={upload}", b"a,b\n", {"Content-Type": "text/csv"})[0], 422)
        self.assertEqual(s.ask("POST", f"{read}?upload=none")[0], 404)
        self.assertEqual(s.ask("POST", predict + "?level=80", at)[0], 422)  # a query is for files: beside JSON it would not be heard
        # Many at once, with and without intervals: each has its own answer.
        body = {level: json.dumps({**at, "level": [level] if level else []}).encode() for level in (0, 80)}
        alone = {level: s.ask("POST", predict, body[level])[1] for level in body}
        asked = [(level, socket.create_connection(("127.0.0.1", s.port), timeout=PATIENCE_S)) for level in (0, 80, 80, 0) * 6]
        for level, c in asked:
            self.addCleanup(c.close)
            c.sendall(b"POST /api/v1/forecast/predict HTTP/1.1\r\nConnection: close\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(body[level]) + body[level])
        for level, c in asked:
            got = json.loads(c.makefile("rb").read().split(b"\r\n\r\n", 1)[1])
            self.assertEqual((got.keys(), got["time"]), (alone[level].keys(), alone[level]["time"]))
            for name, column in alone[level]["columns"].items():
                for mine, theirs in zip(got["columns"][name], column, strict=True):  # together, last digits may differ
                    self.assertAlmostEqual(mine, theirs, delta=1e-4 * abs(theirs))

    def check_attention(self, s, past):
        """Tokens by name, each of which looks at all; a network without attention says so."""
        status, got, _ = s.ask("POST", "/api/v1/forecast/attention", {"model": "waves", "past": past})
        self.assertEqual(status, 200, got)
        maps = got["attention"]
        self.assertEqual([(m["model"], m["layer"]) for m in maps], [("itransformer", i + 1) for i in range(len(maps))])
        self.assertTrue(maps)
        for m in maps:
            self.assertEqual(m["tokens"], [*past["columns"], "hour of day", "day of week", "day of month", "day of year"])
            self.assertEqual([len(row) for row in m["weights"]], [len(m["tokens"])] * len(m["tokens"]))
            for row in m["weights"]:
                self.assertAlmostEqual(sum(row), 1, delta=1e-3)
        status, got, _ = s.ask("POST", "/api/v1/forecast/attention", {"model": "waves", "past": past, "level": [80]})
        self.assertEqual((status, got["errors"][0]["pointer"]), (422, "/level"))
        self.code(0, "forecast", "train", "--data", self.folder / "s.csv", "--out", self.folder / "line", *program.SMALL, "--arch", "dlinear", "--no-plots", "-q")
        status, got, _ = s.ask("POST", "/api/v1/forecast/attention", {"model": "line", "past": past})
        self.assertEqual((status, "dlinear has no attention" in json.dumps(got)), (422, True), got)

    def test_what_is_known_ahead(self):
        plain = list(csv.reader(program.write_series(self.folder / "s.csv", 204).read_text().splitlines()))
        holidays = self.folder / "h.csv"
        holidays.write_text("date\n2024-01-03\n2024-01-09\n")
        data = self.folder / "known.csv"
        lines = [[*row, "price" if i == 0 else str(i % 7)] for i, row in enumerate(plain)]
        for row in lines[201:]:  # only the price of the last four rows is known
            row[1:4] = ["", "", ""]
        data.write_text("\n".join(map(",".join, lines)) + "\n")
        run = self.folder / "known"
        self.code(0, "forecast", "train", "--data", data, "--known", "price", "--holidays", holidays, "--out", run, *program.SMALL, "--no-plots", "-q")
        said = list(csv.DictReader(self.code(0, "forecast", "predict", run, "--data", data, "--output", "-", "--no-plots", "-q").stdout.splitlines()))
        names, rows = lines[0], lines[1:201]
        past = {"time": [r[0] for r in rows], "columns": {n: [float(r[i]) for r in rows] for i, n in enumerate(names) if i}}
        future = {"columns": {"price": [float(r[4]) for r in lines[201:]]}}
        s = self.service()
        ask = {"model": "known", "past": past, "future": future}
        one = s.ask("POST", "/api/v1/forecast/predict", ask)[1]
        self.assertEqual([round(v, 4) for v in one["columns"]["load"]], [round(float(r["load"]), 4) for r in said])
        self.assertEqual(s.ask("POST", "/api/v1/forecast/predict", {**ask, "baselines": True})[1]["columns"], one["columns"])
        upload = s.ask("POST", "/api/v1/uploads?name=known.csv", data.read_bytes())[1]["id"]
        cut = {"model": "known", "upload": upload, "cut": 200, "options": {"missing": "mask"}}
        self.assertEqual(s.ask("POST", "/api/v1/forecast/predict", cut)[1], one)  # the price of the rows behind the cut is known
        late = s.ask("POST", "/api/v1/forecast/predict", {**cut, "cut": 201})
        self.assertEqual((late[0], late[1]["errors"][0]["pointer"]), (422, "/cut"), late[1])
        looked = s.ask("POST", "/api/v1/forecast/attention", ask)[1]["attention"][0]
        self.assertEqual(looked["tokens"][-2:], ["price", s.ask("GET", "/api/v1/models/known")[1]["columns"][-1]])
        flat = [v for r in rows[-16:] for v in map(float, r[1:])]
        status, many, _ = s.ask("POST", "/api/v1/forecast/predict", {
            "model": "known", "windows": 2, "past": {"time": past["time"][-16:] * 2, "values": flat * 2},
            "future": {"values": future["columns"]["price"] * 2}})
        self.assertEqual(status, 200, many)
        once = [one["columns"][n][i] for i in range(4) for n in one["columns"]]
        for a, b in zip(many["values"], once * 2):
            self.assertAlmostEqual(a, b, delta=1e-5)
        status, got, _ = s.ask("POST", "/api/v1/forecast/predict", {**ask, "future": {"columns": {}}, "baselines": True})
        self.assertEqual((status, got["errors"][0]["pointer"]), (422, "/future/columns/price"))

    def test_paths_of_the_origin(self):
        s = self.service()
        ask = {"known_params": {"Rsh": 460, "Ra": "4.8k", "Rb": 2200}, "top_k": 3}
        self.assertEqual(s.ask("GET", "/health")[1]["model_loaded"], False)
        for method, path, body in (("POST", "/api/ml/predict", ask), ("GET", "/api/ml/model-info", None), ("GET", "/api/ml/test", None)):
            self.assertEqual(s.ask(method, path, body)[0], 503)
        self.code(0, "eis", "generate", "--data-dir", self.folder / "data", "--n-ground-truths", "4", "--points", "4", "-q")
        run = self.folder / "ml"
        self.code(0, "eis", "train", "--inputs", "known", "--data-dir", self.folder / "data", "--out", run, "--samples-per-pattern", "40",
                  "--epochs", "1", "--hidden-dim", "16", "--no-plots", "-q")
        said = json.loads(self.code(0, "eis", "complete", "--model", run, "--known", "Rsh=460,Ra=4.8k,Rb=2200", "--top-k", "3", "--json").stdout)
        status, got, _ = s.ask("POST", "/api/ml/predict", ask)
        self.assertEqual((status, got["predicted_resnorm"], got["missing_params"]), (200, said["predicted_resnorm"], ["Ca", "Cb"]), got)
        for mine, theirs in zip(got["predictions"], said["top_k_predictions"], strict=True):
            self.assertEqual({k: mine[k] for k in theirs if k != "resnorm"}, {k: v for k, v in theirs.items() if k != "resnorm"})
            self.assertAlmostEqual(mine["marginal_prob_1"] * mine["marginal_prob_2"], mine["joint_probability"], places=9)
            self.assertEqual(mine["confidence"], "low")  # it was taught too little to know more than chance
        for name, doubt in got["uncertainty"].items():
            p = [v for v in said["marginal_distributions"][name] if v]
            self.assertAlmostEqual(doubt["entropy"], -sum(v * math.log(v) for v in p), places=8)
            self.assertAlmostEqual(doubt["normalized_entropy"], doubt["entropy"] / math.log(4), places=8)
        one = s.ask("POST", "/api/ml/predict", {"known_params": {"Rsh": 460, "Ra": 4800, "Rb": 2200, "Ca": 1e-6}})  # crashed there
        self.assertEqual((one[0], one[1]["missing_params"], len(one[1]["predictions"])), (200, ["Cb"], 4))
        for bad in ({}, {"known_params": {}}, {"known_params": {"Rsx": 1}}, {"known_params": {"Rsh": -1}}):
            self.assertEqual(s.ask("POST", "/api/ml/predict", bad)[0], 400, bad)
        self.assertEqual((s.ask("GET", "/api/ml/model-info")[1]["id"], s.ask("GET", "/health")[1]["model_loaded"]), ("ml", True))
        self.assertEqual(len(s.ask("GET", "/api/ml/test")[1]["prediction"]["predictions"]), 10)

    def test_hostile_requests(self):
        s = self.service("--max-body", "0.1")
        ask = "/api/v1/eis/complete"
        big = b"POST %s HTTP/1.1\r\n" % ask.encode() + HOST
        for what, data, line in (
            ("two lengths", b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "400"),
            ("length and chunks", b"POST /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
            ("two hosts", b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n", "400"),
            ("no host", b"GET /healthz HTTP/1.1\r\n\r\n", "400"),
            ("a coding", b"GET /healthz HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n", "501"),
            ("long headers", b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 100000 + b"\r\n\r\n", "431"),
            ("another host", b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403"),
            ("another origin", b"GET /healthz HTTP/1.1\r\n" + HOST + b"Origin: http://evil.example\r\n\r\n", "403"),
            ("a declared size", big + b"Content-Length: 999999999\r\n\r\n", "413"),
            ("chunks", big + b"Transfer-Encoding: chunked\r\n\r\n" + b"8000\r\n" + b" " * 0x8000 + b"\r\n" + b"".join(
                b"8000\r\n" + b" " * 0x8000 + b"\r\n" for _ in range(5)) + b"0\r\n\r\n", "413"),
            ("TRACE", b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", "405"),
            ("no path", b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", "404"),
        ):
            with self.subTest(what):
                self.assertIn(f" {line} ", s.raw(data))
        for body, status, pointer in (
            (b"{", 400, None), (b"[" * 10000, 400, None), (b'{"a": "\\u0001"}', 422, None), (b'{"a": 1' + b"0" * 400 + b"}", 422, None), (b"\x00", 400, None), (b"[1]", 422, ""),
            ({"spectrum": {**self.arrays, "z_re_ohm": [1]}}, 422, "/spectrum/z_re_ohm"),
            ({"spectrum": {**self.arrays, "freq_hz": [-1] + self.arrays["freq_hz"][1:]}}, 422, "/spectrum/freq_hz/0"),
            ({"spectrum": self.arrays, "options": {"out": "/tmp/x"}}, 422, "/options/out"),
            ({"spectrum": self.arrays, "options": {"threads": 9}}, 422, "/options/threads"),
            ({"spectrum": self.arrays, "options": {"spectrum": "/etc/passwd"}}, 422, "/options/spectrum"),
            ({"spectrum": self.arrays, "known": {"Rsx": 1}}, 422, "/known"),
            ({"spectrum": self.arrays, "model": "../m"}, 404, None), ({"spectrum": {"upload": "x"}}, 404, None),
        ):
            with self.subTest(body=str(body)[-80:]):
                got = s.ask("POST", ask, body)
                self.assertEqual(got[0], status, got[1])
                self.assertEqual(got[2].getheader("Content-Type"), "application/problem+json")
                if pointer is not None:
                    self.assertEqual(got[1]["errors"][0]["pointer"], pointer)
        self.assertEqual(s.ask("POST", "/healthz")[2].getheader("Allow"), "GET, HEAD")
        self.assertEqual(s.ask("GET", "/healthz")[0], 200)  # it is still there

    def test_token(self):
        tokens = self.folder / "tokens"
        tokens.write_text("# who may ask\nme 0123456789abcdef0123\n")
        tokens.chmod(0o644)
        self.error(2, "serve", "--port", "0", "--token-file", tokens)
        self.error(2, "serve", "--port", "0", "--host", "0.0.0.0")
        tokens.chmod(0o600)
        s = self.service("--token-file", str(tokens))
        answers = {s.ask("GET", "/api/v1/models", headers=h)[0:2][0]: s.ask("GET", "/api/v1/models", headers=h)[1].get("detail")
                   for h in ({}, {"Authorization": "Basic x"}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer 0123456789abcdef012"})}
        self.assertEqual(list(answers), [401])
        self.assertEqual(s.ask("GET", "/api/v1/models", headers={"Authorization": "Bearer 0123456789abcdef0123"})[0], 200)
        self.assertEqual(s.ask("GET", "/healthz")[0], 200)
        until(lambda: len(s.log()) == 10)
        self.assertNotIn("0123456789abcdef", json.dumps(s.log()))

    def refined(self, spectra):
        body = json.dumps({"spectra": [self.arrays] * spectra, "options": {"method": "refined"}}).encode()
        return b"POST /api/v1/eis/complete HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body

    def test_client_that_leaves_frees_its_worker(self):
        s = self.service("--workers", "1", "--deadline", "600")
        many = 200
        began = time.monotonic()
        status, _, _ = s.ask("POST", "/api/v1/eis/complete", {"spectrum": self.arrays, "options": {"method": "refined"}})
        one_s = time.monotonic() - began
        self.assertEqual(status, 200)
        gone = socket.create_connection(("127.0.0.1", s.port))
        gone.sendall(self.refined(many))
        time.sleep(one_s)  # it is being answered
        gone.close()
        status, _, _ = s.ask("POST", "/api/v1/eis/complete", {"spectrum": self.arrays, "options": {"method": "refined"}})
        self.assertEqual(status, 200)
        until(lambda: any(line["status"] == 0 for line in s.log()))
        left = [line for line in s.log() if line["status"] == 0][0]
        self.assertLess(left["ms"], 1000 * one_s * many / 4)

    def test_deadline(self):
        s = self.service("--deadline", "0.05")
        status, got, answer = s.ask("POST", "/api/v1/eis/complete", {"spectra": [self.arrays] * 50, "options": {"method": "refined"}})
        self.assertEqual((status, got["code"], answer.getheader("Retry-After")), (503, "deadline", "1"), got)

    def test_stop_finishes_what_is_at_hand(self):
        s = self.service("--deadline", "600")
        with socket.create_connection(("127.0.0.1", s.port), timeout=PATIENCE_S) as c, c.makefile("rb") as back:
            c.sendall(self.refined(3))
            until(lambda: 'tidemill_connections 2' in s.ask("GET", "/metrics")[1])
            s.end()
            self.assertIn(" 200 ", back.readline().decode())
        self.assertEqual(s.stop(), 0)

    def test_page(self):
        tokens = self.folder / "tokens"
        tokens.write_text("0123456789abcdef0123\n")
        tokens.chmod(0o600)
        s = self.service("--root-path", "/tide", "--token-file", str(tokens))
        status, index, headers = s.fetch("/tide/")  # open: it asks for the token itself
        self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertEqual((headers["X-Frame-Options"], headers["Referrer-Policy"], headers["X-Content-Type-Options"]), ("DENY", "no-referrer", "nosniff"))
        moved = s.fetch("/tide")
        self.assertEqual((moved[0], moved[2]["Location"]), (308, "/tide/"))
        self.assertEqual(s.fetch("/assets/none.js")[0], 404)
        if status == 501:
            self.assertIn(b"built without its web page", index)
            return
        self.assertEqual((status, headers["Cache-Control"], s.fetch("/", method="HEAD")[1]), (200, "no-cache", b""))
        files = re.findall(rb'(?:src|href)="\./(assets/[^"]+)"', index)
        self.assertGreaterEqual(len(files), 3, index)
        for path in ("", *(f.decode() for f in files)):
            plain, packed = s.fetch("/tide/" + path), s.fetch("/tide/" + path, {"Accept-Encoding": "br, gzip;q=0.5"})
            self.assertEqual((plain[0], packed[0], packed[2]["Content-Encoding"]), (200, 200, "gzip"), path)
            self.assertEqual((plain[1], plain[2]["Content-Encoding"]), (gzip.decompress(packed[1]), None), path)
            self.assertEqual("immutable" in plain[2]["Cache-Control"], bool(path))
            self.assertNotEqual(plain[2]["ETag"], packed[2]["ETag"])
            tag = packed[2]["ETag"]
            for asked, code in ((tag, 304), (f'"other", W/{tag}', 304), ("*", 304), ('"other"', 200), (plain[2]["ETag"], 200)):
                again = s.fetch("/tide/" + path, {"Accept-Encoding": "gzip", "If-None-Match": asked})
                self.assertEqual((again[0], again[2]["ETag"]), (code, tag), (path, asked))
        for asked, coding in (("gzip;q=0", None), ("*", "gzip"), ("*;q=0, gzip", "gzip"), ("identity", None), ("GZIP", "gzip"), ("x-gzip", None)):
            self.assertEqual(s.fetch("/", {"Accept-Encoding": asked})[2]["Content-Encoding"], coding, asked)

    def test_demo(self):
        """./demo serve beside a program and a model that are there: it says where to go, and Ctrl-C ends it well."""
        for folder in ("tools", "build/cli", "bin", "runs/demo-serve"):
            (self.folder / folder).mkdir(parents=True)
        shutil.copy(ROOT / "demo", self.folder)
        shutil.copy(ROOT / "tools/setup.sh", self.folder / "tools")
        for name in ("build/build.ninja", "runs/demo-serve.csv", "runs/demo-serve/model.safetensors"):
            (self.folder / name).touch()
        (self.folder / "build/cli/tidemill").symlink_to(program.PROGRAM)
        for name in ("ninja", "meson"):
            (self.folder / "bin" / name).write_text("#!/bin/sh\n")
            (self.folder / "bin" / name).chmod(0o755)
        env = {**program.environment(), "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "XDG_STATE_HOME": str(self.folder)}
        demo = subprocess.Popen(["sh", self.folder / "demo", "serve", "--no-install", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        port = re.search(r"serves http://127\.0\.0\.1:(\d+)/", demo.stderr.readline()).group(1)
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=PATIENCE_S)
        connection.request("GET", "/")
        self.assertIn(connection.getresponse().status, (200, 501))
        connection.close()
        demo.send_signal(signal.SIGINT)
        said = demo.communicate(timeout=PATIENCE_S)[0]
        self.assertEqual(demo.returncode, 0)
        self.assertIn("runs/demo-serve.csv", said)

    def test_strangers(self):
        """A folder with files that no service put there is none of its own: nothing in it is swept, made anew or opened to fewer."""
        for part, name in (("jobs", "jobs.db"), ("uploads", ".new-notes")):
            with self.subTest(part=part):
                folder = self.folder / f"state-{part}" / part
                folder.mkdir(parents=True)
                (folder / name).write_text("mine\n")
                said = self.code(2, "serve", "--port", 0, "--state", folder.parent).stderr
                self.assertIn("holds files that no service put there", said)
                self.assertEqual([(p.name, p.read_text()) for p in folder.iterdir()], [(name, "mine\n")])

    def test_description(self):
        printed = self.code(0, "serve", "--print-openapi").stdout
        self.assertEqual(json.loads(printed), json.loads((ROOT / "docs/openapi.json").read_text()),
                         "tidemill serve --print-openapi > docs/openapi.json")
        # the page is for people, no part of the interface
        routes = re.findall(r'\{ "(\w+)", "(/[^"]*)", route_(?!page)', (ROOT / "apps/serve/routes/routes.c").read_text())
        self.assertGreater(len(routes), 30)
        paths = json.loads(printed)["paths"]
        for method, path in routes:
            self.assertTrue(paths.get(path, {}).get(method.lower(), {}).get("summary"), f"{method} {path} has no row in openapi.c")
        tokens = self.folder / "described"
        tokens.write_text("0123456789abcdef0123\n")
        tokens.chmod(0o600)
        self.assertEqual(self.service("--token-file", str(tokens), "--state", str(self.folder / "other")).ask("GET", "/openapi.json")[1], json.loads(printed))
        s = self.service()
        plain = s.ask("GET", "/openapi.json")[1]
        self.assertEqual((plain["paths"].keys(), plain["components"]["schemas"]), (paths.keys(), json.loads(printed)["components"]["schemas"]))
        self.assertNotIn("401", json.dumps(plain))  # a service without tokens asks for none
        self.assertIn("EisComplete", s.ask("GET", "/docs")[1])


if __name__ == "__main__":
    if program.run("serve", "--port", "0", "--host", "256.256.256.256").returncode == 4:
        print("[  SKIPPED ] this build has no service")
    else:
        program.main("test_serve")
