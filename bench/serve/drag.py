#!/usr/bin/env python3
"""People who drag the cut-off of a forecast through the past: each of 200 clients asks 10 times a second, whether or not the last answer has come.

    python3 bench/serve/drag.py build/cli/tidemill --data ETTh1.csv --work W            {"model", "upload", "cut"}: each client brought its own table
    python3 bench/serve/drag.py build/cli/tidemill --data ETTh1.csv --work W --past     {"model", "past"}: the model's look-back with each request
    ... --levels ''          without intervals (by default 80,95, as the page asks)

The model is of the published ETTh1-96 size, trained for a moment (W keeps it). Open loop: a request is due at its time, and an answer's time is counted from
then. A client has one connection, as a browser's page mostly does: what is due while it waits for an answer is sent when that has come. How late this program
itself was, on a connection that was free, is told beside the times. It runs on the same cores as the service."""
import argparse
import heapq
import json
import os
import pathlib
import random
import re
import select
import signal
import socket
import statistics
import tempfile
import time

import rates


class Client:
    """A connection, what is due on it, and the answer that is under way."""

    def __init__(self, port, bodies):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.bodies, self.due, self.got, self.wanted, self.status = bodies, [], bytearray(), 0, 0
        self.at = random.randrange(1 << 20)

    def send(self):
        self.at += random.randrange(1, 8)
        body = self.bodies(self.at)
        self.socket.sendall(b"POST /api/v1/forecast/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        self.got.clear()
        self.wanted = 0

    def read(self):
        """True when the answer is whole."""
        part = self.socket.recv(1 << 18)
        if not part:
            raise SystemExit("the service closed a connection")
        self.got += part
        if not self.wanted and (end := self.got.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.got[:end])
            self.status = int(head[9:12])
            self.wanted = end + 4 + int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        return self.wanted and len(self.got) >= self.wanted


def bodies_of(base, words, port, data, levels):
    """A function for each client: the body of a request whose cut is at some place."""
    text = pathlib.Path(data).read_bytes()
    rows = [line.split(",") for line in text.decode().splitlines()]
    seq, most = 96, len(rows) - 1
    level = {"level": levels} if levels else {}
    if words.past:
        def past(cut):
            part = rows[1 + cut - seq:1 + cut]
            return {"time": [row[0] for row in part], "columns": {name: [float(row[i]) for row in part] for i, name in enumerate(rows[0]) if i}}
        pool = [json.dumps({"model": "etth1", "past": past(random.randrange(seq, most)), **level}).encode() for _ in range(2000)]
        return [lambda at: pool[at % len(pool)]] * words.clients
    made = []
    for _ in range(words.clients):
        request = rates.urllib.request.Request(base + "/api/v1/uploads?name=series.csv", text, {"Content-Type": "text/csv"})
        with rates.urllib.request.urlopen(request) as answer:
            upload = json.load(answer)["id"]
        rest = json.dumps({"model": "etth1", "upload": upload, **level})[1:].encode()
        made.append(lambda at, rest=rest: b'{"cut":%d,' % (seq + at % (most - seq)) + rest)
    return made


def drag(clients, rate, seconds):
    """Latencies, this program's own lateness, statuses, bytes."""
    poll, by_fd, told, late, statuses, size = select.epoll(), {}, [], [], {}, 0
    for c in clients:
        by_fd[c.socket.fileno()] = c
        poll.register(c.socket, select.EPOLLIN)
    begin = time.monotonic() + 0.1
    coming = [(begin + random.random() / rate, i) for i in range(len(clients))]
    heapq.heapify(coming)
    end = begin + seconds
    while coming or any(c.due for c in clients):
        now = time.monotonic()
        while coming and coming[0][0] <= now:
            due, i = heapq.heappop(coming)
            c = clients[i]
            if not c.due:
                late.append(time.monotonic() - due)
                c.send()
            c.due.append(due)
            if due + 1 / rate < end:
                heapq.heappush(coming, (due + 1 / rate, i))
        wait = max(coming[0][0] - time.monotonic(), 0) if coming else 1
        for fd, _ in poll.poll(wait, 64):
            c = by_fd[fd]
            if not c.read():
                continue
            told.append(time.monotonic() - c.due.pop(0))
            statuses[c.status] = statuses.get(c.status, 0) + 1
            size += len(c.got)
            if c.due:
                c.send()
    return told, late, statuses, size


def used_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("program", type=pathlib.Path)
    parse.add_argument("--data", required=True)
    parse.add_argument("--work", required=True, type=pathlib.Path)
    parse.add_argument("--past", action="store_true")
    parse.add_argument("--levels", default="80,95")
    parse.add_argument("--clients", type=int, default=200)
    parse.add_argument("--rate", type=float, default=10)
    parse.add_argument("--seconds", type=float, default=20)
    words = parse.parse_args()
    words.program = words.program.resolve()
    random.seed(7)
    levels = [float(x) for x in words.levels.split(",") if x]
    with tempfile.TemporaryDirectory() as name:
        child, base = rates.start(words.program, rates.models_of(words), pathlib.Path(name))
        try:
            port = int(base.rsplit(":", 1)[1])
            clients = [Client(port, bodies) for bodies in bodies_of(base, words, port, words.data, levels)]
            drag(clients[:1], 5, 1)
            for c in clients:  # tables are read once
                c.send()
                while not c.read():
                    pass
            load, before = os.getloadavg()[0], used_s(child.pid)
            told, late, statuses, size = drag(clients, words.rate, words.seconds)
            used = used_s(child.pid) - before
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(timeout=60)
    told.sort()
    late.sort()
    at = lambda values, share: 1e3 * values[min(int(share * len(values)), len(values) - 1)]
    print(f"| requests | p50 ms | p95 ms | p99 ms | most ms | answers | bytes each | client late p95, most ms | cores of the service | load before |\n"
          f"| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
          f"| {len(told) / words.seconds:,.0f} a second | {1e3 * statistics.median(told):.1f} | {at(told, .95):.1f} | {at(told, .99):.1f} | {at(told, 1):.1f} | "
          f"{', '.join(f'{n:,} of {k}' for k, n in sorted(statuses.items()))} | {size / len(told):,.0f} | {at(late, .95):.1f}, {at(late, 1):.1f} | {used / words.seconds:.2f} | {load:.1f} |")


if __name__ == "__main__":
    main()
