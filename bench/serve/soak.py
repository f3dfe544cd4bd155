#!/usr/bin/env python3
"""Minutes beyond what the service can do: 160 clients ask again at once, for exact and refined answers and forecasts, while four follow a job's events.

    python3 bench/serve/soak.py build/cli/tidemill --data ETTh1.csv --work W [--minutes 10] [--clients 160]

Told are answers, refusals and how long these took, connections that broke, the service's memory every half minute, and what the streams heard: a stream lives
where something came, if only the comment of every ten seconds, until the end. Clients run on the same cores."""
import argparse
import http.client
import json
import os
import pathlib
import signal
import statistics
import tempfile
import threading
import time

import rates

TYPE = {"Content-Type": "application/json"}
SILENCE_S = 30


class Told:
    def __init__(self):
        self.lock, self.answers, self.refusals, self.others, self.broken = threading.Lock(), {}, [], {}, 0

    def add(self, kind, status, seconds):
        with self.lock:
            if status == 200:
                self.answers[kind] = self.answers.get(kind, 0) + 1
            elif status == 503:
                self.refusals.append(seconds)
            else:
                self.others[status] = self.others.get(status, 0) + 1


def ask_on(port, kind, path, body, told, end):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            connection.request("POST", path, body, TYPE)
            answer = connection.getresponse()
            answer.read()
            told.add(kind, answer.status, time.monotonic() - began)
        except (OSError, http.client.HTTPException):
            with told.lock:
                told.broken += 1
            connection.close()
    connection.close()


def follow(port, job, end, heard):
    """The longest silence, and how many lines came; None: the stream ended, or nobody was heard for too long."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SILENCE_S)
    longest, lines, last = 0, 0, time.monotonic()
    try:
        connection.request("GET", f"/api/v1/jobs/{job}/events")
        answer = connection.getresponse()
        while time.monotonic() < end and answer.status == 200 and answer.readline():
            now = time.monotonic()
            longest, lines, last = max(longest, now - last), lines + 1, now
    except OSError:
        pass
    heard.append((answer.status, lines, longest) if time.monotonic() >= end else None)
    connection.close()


def memory_mb(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def start_job(base, data):
    request = rates.urllib.request.Request(base + "/api/v1/uploads?name=series.csv", pathlib.Path(data).read_bytes(), {"Content-Type": "text/csv"})
    with rates.urllib.request.urlopen(request) as answer:
        upload = json.load(answer)["id"]
    return rates.call(base, "/api/v1/jobs", {"command": "forecast train", "upload": upload, "options": {"epochs": 10000, "patience": 0, "plots": False}})["id"]


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("program", type=pathlib.Path)
    parse.add_argument("--data", required=True)
    parse.add_argument("--work", required=True, type=pathlib.Path)
    parse.add_argument("--minutes", type=float, default=10)
    parse.add_argument("--clients", type=int, default=160)
    words = parse.parse_args()
    words.program = words.program.resolve()
    with tempfile.TemporaryDirectory() as name:
        child, base = rates.start(words.program, rates.models_of(words), pathlib.Path(name), queue=64)
        port = int(base.rsplit(":", 1)[1])
        told, heard, memory, job = Told(), [], [], None
        try:
            cases = rates.cases_of(base, words.data)
            path, refined = cases["exact, Rs free, noise found"]
            kinds = [("exact", *cases["exact, Rs given, noise found"]), ("refined", path, {**refined, "options": {"method": "refined"}}), ("forecast", *cases["forecast ETTh1-96"])]
            job = start_job(base, words.data)
            load = os.getloadavg()[0]
            end = time.monotonic() + 60 * words.minutes
            threads = [threading.Thread(target=follow, args=(port, job, end, heard)) for _ in range(4)]
            threads += [threading.Thread(target=ask_on, args=(port, kind, path, json.dumps(body).encode(), told, end))
                        for kind, path, body in (kinds[i % 3] for i in range(words.clients))]
            for thread in threads:
                thread.start()
            while time.monotonic() < end:
                memory.append(memory_mb(child.pid))
                time.sleep(min(30, max(end - time.monotonic(), 0)))
            for thread in threads:
                thread.join()
        finally:
            if job:
                rates.call(base, f"/api/v1/jobs/{job}/cancel", {})
                while json.load(rates.urllib.request.urlopen(base + f"/api/v1/jobs/{job}"))["state"] in ("queued", "running"):
                    time.sleep(0.2)
            child.send_signal(signal.SIGTERM)
            code = child.wait(timeout=60)
    told.refusals.sort()
    slow = told.refusals[int(0.99 * len(told.refusals))] if told.refusals else 0
    print(f"load before: {load:.1f}\nanswers: {told.answers}\nrefusals: {len(told.refusals):,}, median {1e3 * statistics.median(told.refusals or [0]):.0f} ms, p99 {1e3 * slow:.0f} ms, "
          f"most {1e3 * (told.refusals or [0])[-1]:.0f} ms\nother statuses: {told.others}; connections broken: {told.broken}\n"
          f"memory, MB every half minute: {' '.join(f'{m:.0f}' for m in memory)}\nstreams (status, lines, longest silence in s; None: ended): {heard}\nexit {code}")


if __name__ == "__main__":
    main()
