#!/usr/bin/env python3
"""tidemill data: the download, against a server on 127.0.0.1, and the made-up series."""
import cmath
import csv
import datetime
import http.server
import json
import math
import threading
import unittest

import program
from program import Case

BODIES = {}


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves BODIES[path] = (claimed length, bytes to send); counts what is asked."""
    asked = []

    def do_GET(self):
        Handler.asked.append(self.path)
        length, body = BODIES.get(self.path, (None, b""))
        self.send_response(404 if length is None else 200)
        self.send_header("Content-Length", str(length or 0))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Download(Case):
    def setUp(self):
        super().setUp()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        Handler.asked.clear()
        BODIES.clear()
        self.env = {"TIDEMILL_DATA_URL": f"http://127.0.0.1:{server.server_port}/ETT", "XDG_CACHE_HOME": str(self.folder / "cache"),
                    "no_proxy": "127.0.0.1"}

    def left_behind(self):
        return [str(p) for p in (self.folder / "cache").rglob("*") if p.is_file()]

    @unittest.skipUnless((program.SHARED / "data/forecast/ETTh1.csv").exists(), "needs the shared test data")
    def test_right_file(self):
        body = (program.SHARED / "data/forecast/ETTh1.csv").read_bytes()
        BODIES["/ETT/ETTh1.csv"] = (len(body), body)
        path = self.code(0, "data", "get", "etth1", env=self.env).stdout.strip()
        self.assertEqual(path, str(self.folder / "cache/tidemill/ETTh1.csv"))
        with open(path, "rb") as file:
            self.assertEqual(file.read(), body)
        again = json.loads(self.code(0, "data", "get", "ETTh1", "--json", env=self.env).stdout)
        self.assertEqual(again["path"], path)
        self.assertEqual(len(Handler.asked), 1, "a file in the cache is not fetched again")
        with open(path, "ab") as file:
            file.write(b"x")
        self.code(0, "data", "get", "etth1", env=self.env)
        self.assertEqual(len(Handler.asked), 2, "a spoilt file in the cache is fetched again")
        self.assertEqual(self.left_behind(), [path])

    def test_wrong_sha256(self):
        BODIES["/ETT/ETTh1.csv"] = (5, b"date\n")
        error = self.error(3, "data", "get", "etth1", env=self.env)
        self.assertIn("sha256", error["message"])
        self.assertEqual(self.left_behind(), [])

    def test_cut_connection(self):
        BODIES["/ETT/ETTh2.csv"] = (100000, b"x" * 5000)
        error = self.error(1, "data", "get", "etth2", env=self.env)
        self.assertIn("ETTh2.csv", error["message"])
        self.assertIn("5000", error["message"])
        self.assertEqual(self.left_behind(), [])

    def test_absent(self):
        self.assertIn("404", self.error(1, "data", "get", "ettm1", env=self.env)["message"])
        self.assertEqual(self.left_behind(), [])

    def test_no_server(self):
        self.error(1, "data", "get", "etth1", env={**self.env, "TIDEMILL_DATA_URL": "http://127.0.0.1:9"})

    def test_no_other_protocol(self):
        secret = self.folder / "ETTh1.csv"
        secret.write_text("x")
        self.error(1, "data", "get", "etth1", env={**self.env, "TIDEMILL_DATA_URL": f"file://{self.folder}"})
        self.assertEqual(self.left_behind(), [])

    def test_no_place(self):
        self.error(1, "data", "get", "etth1", env={**self.env, "XDG_CACHE_HOME": "/proc/nowhere"})

    def test_unknown(self):
        self.assertIn("etth1", self.error(2, "data", "get", "eth1")["message"])


class Made(Case):
    def test_tide(self):
        a, b, c = (self.folder / name for name in "abc")
        self.code(0, "data", "make", "tide", a, "--rows", 1000, "--seed", 5)
        self.code(0, "data", "make", "tide", b, "--rows", 1000, "--seed", 5)
        self.code(0, "data", "make", "tide", c, "--rows", 1000, "--seed", 6)
        self.assertEqual(a.read_bytes(), b.read_bytes())
        self.assertNotEqual(a.read_bytes(), c.read_bytes())
        with open(a, newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 1000)
        start = datetime.datetime(2023, 1, 1)
        for i, row in enumerate(rows):
            self.assertEqual(row["date"], (start + datetime.timedelta(hours=i)).strftime("%Y-%m-%d %H:%M:%S"))
        # M2, the moon's tide, has 205 cm at Brest; the other constituents leak a little into 1000 hours.
        level = [float(row["brest_cm"]) for row in rows]
        turn = [cmath.exp(-1j * math.radians(28.9841042) * i) for i in range(1000)]
        amplitude = abs(2 / 1000 * sum(t * (y - sum(level) / 1000) for t, y in zip(turn, level)))
        self.assertAlmostEqual(amplitude, 205, delta=30)

    def test_refusals(self):
        self.error(2, "data", "make", "tide", self.folder / "x.csv", "--rows", 0)
        self.error(2, "data", "make", "sand", self.folder / "x.csv")
        self.error(1, "data", "make", "tide", self.folder / "no/such/folder/x.csv")

    def test_list(self):
        names = [s["name"] for s in json.loads(self.code(0, "data", "list", "--json").stdout)["series"]]
        self.assertEqual(names, ["etth1", "etth2", "ettm1"])


if __name__ == "__main__":
    program.main("test_data")
