#!/usr/bin/env python3
"""tidemill serve among those who mean harm: each hostile request has its answer, and others are answered meanwhile. bench/results/serve.md has the whole table."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import unittest

import program
from test_serve import HOST, PATIENCE_S, Service

COMPLETE = b"/api/v1/eis/complete"


def head(more=b"", path=b"/healthz", method=b"GET", version=b"HTTP/1.1"):
    return method + b" " + path + b" " + version + b"\r\n" + more + b"\r\n"


class TestHostile(program.Case):
    def service(self, *words):
        s = Service(self.folder, *words)
        self.addCleanup(s.stop)
        return s

    def answers(self, s, rows):
        for what, data, status in rows:
            with self.subTest(what):
                self.assertIn(f" {status} ", s.raw(data))
        self.assertEqual(s.ask("GET", "/healthz")[0], 200)

    def test_names_of_this_machine(self):
        rows = [(name, head(b"Host: " + name + b"\r\n"), status) for name, status in (
            (b"127.0.0.1:8321", 200), (b"127.9.9.9", 200), (b"LOCALHOST", 200), (b"[::1]:1", 200),
            # What anyone can have a name server say.
            (b"127.example.org", 403), (b"127.0.0.1.example.org", 403), (b"127.1", 403), (b"localhost:x", 403), (b"[::1", 403), (b"[::1]x", 403),
            (b"localhost.example.org", 403), (b"", 403))]
        self.answers(self.service(), rows)

    def test_what_two_programs_would_read_in_two_ways(self):
        good, bad = (b"Authorization: Bearer " + t + b"\r\n" for t in (b"0123456789abcdef0123", b"x"))
        self.answers(self.service(), (
            ("two tokens", head(HOST + good + bad), 400), ("two tokens, the other way", head(HOST + bad + good), 400),
            ("two origins", head(HOST + b"Origin: http://localhost\r\nOrigin: http://example.org\r\n"), 400),
            ("two types", head(HOST + b"Content-Type: text/csv\r\nContent-Type: application/json\r\n"), 400),
            ("a space before the colon", head(HOST + b"Content-Length : 5\r\n") + b"hello", 400),
            ("a coding", head(HOST + b"Content-Encoding: gzip\r\nContent-Length: 1\r\n", COMPLETE, b"POST") + b"x", 415),
            ("a character of 0", head(HOST, b"/healthz%00"), 400), ("a character of 0 in a query", head(HOST, b"/healthz?a=%00"), 400),
            ("a parameter twice", head(HOST, b"/healthz?a=1&a=2"), 400), ("once", head(HOST, b"/healthz?a=1&b=2"), 200),
            ("parameters without end", head(HOST, b"/healthz?" + b"&".join(b"a%d=" % i for i in range(200))), 400),
            ("chunks in HTTP/1.0", head(HOST + b"Transfer-Encoding: chunked\r\n", version=b"HTTP/1.0"), 400)))

    def test_much_is_refused_in_the_services_words(self):
        s = self.service()
        for what, status, got in (("address", 414, s.ask("GET", "/" + "x" * 20000)), ("header", 431, s.ask("GET", "/healthz", headers={"X-Long": "x" * 40000})),
                                  ("headers", 431, s.ask("GET", "/healthz", headers={f"X-{i}": "x" * 400 for i in range(100)}))):
            self.assertEqual((got[0], got[1]["status"], got[2].getheader("Content-Type")), (status, status, "application/problem+json"), what)
        self.assertEqual(s.ask("GET", "/healthz", headers={"X-Long": "x" * 30000})[0], 200)
        # Another version, and what has no room, libmicrohttpd answers by itself.
        self.answers(s, (("version", head(HOST, version=b"HTTP/2.0"), 505), ("address", head(HOST, b"/" + b"x" * 200000), 414),
                         ("headers", head(HOST + b"X: y\r\n" * 30000), 431)))

    def test_who_sends_a_body_that_is_refused_hears_why(self):
        s = self.service("--max-body", "1")
        for size, path, status in ((2 << 20, "/api/v1/eis/complete", 413), (2 << 20, "/none", 404)):
            self.assertEqual(s.ask("POST", path, b"x" * size)[0], status)
        asks = head(HOST + b"Expect: 100-continue\r\nContent-Length: 2097152\r\n", COMPLETE, b"POST")
        self.assertIn(" 413 ", s.raw(asks))  # before it sends

    def test_bodies_that_grow(self):
        s = self.service()
        for what, body, status in (
            ("values", b'{"spectra":[' + b",".join([b"[1]"] * 1000000) + b"]}", 413), ("members", b"{" + b",".join(b'"k%d":1' % i for i in range(400000)) + b"}", 413),
            ("unknown options", b'{"options":{' + b",".join(b'"k%d":1' % i for i in range(100000)) + b"}}", 422), ("depth", b"[" * 1000000, 400),
            ("numbers", b'{"spectrum":{"freq_hz":[' + b"1," * 1000000 + b"1]}}", 422), ("a list as a name", b'{[1]:2}', 400),
        ):
            with self.subTest(what):
                got = s.ask("POST", COMPLETE.decode(), body)
                self.assertEqual(got[0], status, got[1])
                self.assertLessEqual(len(got[1].get("errors", [])), 32)
        if os.path.exists("/proc/self/status"):
            with open(f"/proc/{s.process.pid}/status") as f:
                most = next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))
            self.assertLess(most, 400 << 10)  # KiB; values without a limit take more than a GiB

    def test_large_bodies_leave_the_sockets_to_others(self):
        s = self.service("--workers", "1")
        csv = b"f,re,im\n" + b"1,2,-3\n" * 500000
        large = head(HOST + b"Content-Type: text/csv\r\nContent-Length: %d\r\n" % len(csv), COMPLETE, b"POST") + csv
        asked = [socket.create_connection(("127.0.0.1", s.port), timeout=PATIENCE_S) for _ in range(3)]
        for c in asked:
            self.addCleanup(c.close)
            c.sendall(large)
        self.assertEqual(s.ask("GET", "/healthz")[0], 200)
        asked[-1].setblocking(False)
        self.assertRaises(BlockingIOError, asked[-1].recv, 1)  # health came before the last of them

    def test_a_log_that_nobody_reads(self):
        with subprocess.Popen([program.PROGRAM, "serve", "--port", "0", "--models", str(self.folder), "--state", str(self.folder / "state")], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=program.environment()) as p:
            port = int(re.search(r":(\d+)/", p.stderr.readline())[1])
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            self.addCleanup(c.close)
            asked = 0

            def get(path):
                c.request("GET", path)
                return c.getresponse().read().decode()
            # More than a pipe and what may wait hold: 64 KiB and twice 1 MiB, of lines that a path makes long.
            for asked in range(1, 400):
                get("/" + "x" * 8000)
            dropped = int(re.search(r"^tidemill_log_dropped_total (\d+)", get("/metrics"), re.MULTILINE)[1])
            self.assertGreater(dropped, 0)
            p.send_signal(signal.SIGTERM)
            self.assertEqual(p.wait(PATIENCE_S), 0)  # though nobody reads
            p.stderr.close()
            lines = p.stdout.read().splitlines()
        self.assertLess(len(lines), asked)
        self.assertEqual(json.loads(lines[0])["path"], "/" + "x" * 8000)

    def test_jobs_are_seen_however_much_is_computed(self):
        s = self.service("--workers", "1", "--queue", "1")
        spectrum = {"freq_hz": [1, 10, 100, 1000, 10000], "z_re_ohm": [5, 4, 3, 2, 1], "z_im_ohm": [-1, -2, -3, -2, -1]}
        body = json.dumps({"spectra": [spectrum] * 16, "options": {"method": "exact"}}).encode()
        asked = [socket.create_connection(("127.0.0.1", s.port), timeout=PATIENCE_S) for _ in range(12)]
        for c in asked:
            self.addCleanup(c.close)
            c.sendall(head(HOST + b"Content-Length: %d\r\n" % len(body), COMPLETE, b"POST") + body)
        for _ in range(10):
            self.assertEqual(s.ask("GET", "/api/v1/jobs")[0], 200)
        self.assertTrue(any(b" 503 " in c.recv(40) for c in asked))  # the queue was full

    def test_garbage_among_the_models(self):
        run = self.folder / "waves"
        self.code(0, "forecast", "train", "--data", program.write_series(self.folder / "s.csv"), "--out", run, *program.SMALL, "--no-plots", "-q")
        for name, file, make in (("pipe", "run.json", os.mkfifo), ("pipe_weights", "model.safetensors", os.mkfifo), ("folder", "model.safetensors", os.mkdir),
                                 ("none", "run.json", lambda path: None), ("deep", "run.json", lambda path: path.write_text("[" * 100000)),
                                 ("cut", "model.safetensors", lambda path: path.write_bytes((run / "model.safetensors").read_bytes()[:-100]))):
            shutil.copytree(run, self.folder / name)
            (self.folder / name / file).unlink()
            make(self.folder / name / file)
        s = self.service("--workers", "1")
        for name in ("pipe", "pipe_weights", "folder", "none", "deep", "cut", "waves"):
            got = s.ask("GET", f"/api/v1/models/{name}")
            self.assertEqual(got[0], 200 if name == "waves" else 422 if name == "cut" else 404, (name, got[1]))
            self.assertNotIn(str(self.folder), json.dumps(got[1]))
        listed = [m["id"] for m in s.ask("GET", "/api/v1/models")[1]["models"]]
        self.assertIn("waves", listed)
        self.folder.joinpath("waves").rename(self.folder / ".gone")
        self.assertEqual(s.ask("GET", "/api/v1/models/waves")[0], 404)


if __name__ == "__main__":
    program.main("test_serve_hostile")
