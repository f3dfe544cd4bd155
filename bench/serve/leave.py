#!/usr/bin/env python3
"""How long a worker goes on with a refined answer whose client has gone: 20 clients that leave at random moments, one after another.

    python3 bench/serve/leave.py build/cli/tidemill spectrum.csv

Told are the median and the largest time from the client's going to the worker's being free, as `tidemill_work_seconds_total` tells it, asked every 2 ms."""
import argparse
import csv
import http.client
import json
import pathlib
import random
import socket
import statistics
import tempfile
import time

import rates


def worked(connection):
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith('tidemill_work_seconds_total{queue="refined"}')))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("spectrum", help="a CSV as `tidemill eis simulate` writes it")
    asked = parser.parse_args()
    rows = list(csv.DictReader(open(asked.spectrum)))
    named = {"freq_hz": "frequency_hz", "z_re_ohm": "z_re_ohm", "z_im_ohm": "z_im_ohm"}
    spectrum = {name: [float(r[column]) for r in rows] for name, column in named.items()}
    body = json.dumps({"spectra": [spectrum] * 200, "options": {"method": "refined"}}).encode()
    with tempfile.TemporaryDirectory() as work:
        models = pathlib.Path(work) / "models"
        models.mkdir()
        child, base = rates.start(asked.program, models, pathlib.Path(work))
        port = int(base.rsplit(":", 1)[1])
        asking = http.client.HTTPConnection("127.0.0.1", port)
        freed = []
        for _ in range(20):
            before = worked(asking)
            client = socket.create_connection(("127.0.0.1", port))
            client.sendall(b"POST /api/v1/eis/complete HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            time.sleep(0.5 + random.random())
            client.close()
            gone = time.monotonic()
            while worked(asking) == before:
                time.sleep(0.002)
            freed.append(1000 * (time.monotonic() - gone))
        child.terminate()
        child.wait()
    print(f"free after {statistics.median(freed):.0f} ms (median of {len(freed)}), {max(freed):.0f} at most; {sum(f > 100 for f in freed)} above 100")


if __name__ == "__main__":
    main()
