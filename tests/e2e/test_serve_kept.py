#!/usr/bin/env python3
"""tidemill serve: uploads, jobs and their events over HTTP."""
import http.client
import json
import os
import random
import re
import signal
import subprocess
import threading
import time

import program
from program import Case

SMALL = {"seq-len": 16, "pred-len": 4, "d-model": 16, "d-ff": 16, "n-heads": 2, "e-layers": 1, "batch-size": 16, "epochs": 3, "plots": False, "patience": 0}


class Kept(Case):
    def setUp(self):
        super().setUp()
        self.text = program.write_series(self.folder / "series.csv").read_text()
        self.start()

    def start(self):
        self.service = subprocess.Popen([program.PROGRAM, "serve", "--port", "0", "--state", str(self.folder / "state"), "--models", str(self.folder),
                                         "--no-access-log"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=program.environment())
        first = self.service.stderr.readline()
        self.assertRegex(first, r"http://127.0.0.1:\d+/")
        self.port = int(re.search(r":(\d+)/", first)[1])

    def tearDown(self):
        for job in self.ask(200, "GET", "/api/v1/jobs"):
            if job["state"] in ("queued", "running"):
                self.ask(200, "POST", f"/api/v1/jobs/{job['id']}/cancel")
                list(self.events(job["id"]))
        self.end(signal.SIGTERM)

    def end(self, number):
        self.service.send_signal(number)
        self.service.wait(timeout=60)
        self.service.stderr.close()

    def raw(self, method, path, body=None, **headers):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.addCleanup(c.close)
        c.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
        return c.getresponse()

    def ask(self, status, method, path, body=None, **headers):
        answer = self.raw(method, path, json.dumps(body) if isinstance(body, (dict, list)) else body, **headers)
        content = answer.read()
        self.assertEqual(answer.status, status, content)
        return json.loads(content) if "json" in answer.headers["Content-Type"] else content.decode()

    def train(self, **options):
        upload = self.ask(201, "POST", "/api/v1/uploads?name=sales.csv", self.text)
        return self.ask(202, "POST", "/api/v1/jobs", {"command": "forecast train", "options": {**SMALL, **options}, "upload": upload["id"]})["id"]

    def events(self, job, **headers):
        """(number, kind, data) until the stream ends."""
        answer = self.raw("GET", f"/api/v1/jobs/{job}/events", **headers)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/event-stream"))
        event = {}
        for line in answer:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if value and name:
                event[name] = value
            elif event:
                yield int(event["id"]), event["event"], json.loads(event["data"])
                event = {}

    def test_job(self):
        job = self.train()
        got = list(self.events(job))
        self.assertEqual([d["state"] for _, kind, d in got if kind == "state"], ["queued", "running", "done"])
        self.assertEqual([d["epoch"] for _, _, d in got if d.get("stage") == "epoch"], [1, 2, 3])
        middle = len(got) // 2
        self.assertEqual(list(self.events(job, Last_Event_ID=str(got[middle - 1][0]))), got[middle:])
        path = f"/api/v1/jobs/{job}"
        told = self.ask(200, "GET", path)
        self.assertEqual((told["state"], told["progress"]["epoch"], told["progress"]["val_loss"] is not None), ("done", 3, True), told)
        self.assertEqual((told["name"], told["files"]), ("", {"data": ["sales.csv"]}))
        for name in ("größer als zuvor", ""):
            self.assertEqual(self.ask(200, "POST", path + "/name", {"name": name}), {**told, "name": name})
            self.assertEqual([j["name"] for j in self.ask(200, "GET", "/api/v1/jobs")], [name])
        self.assertEqual(self.ask(200, "GET", path + "/result")["command"], "forecast train")
        self.assertIn("-- done", self.ask(200, "GET", path + "/log"))
        metrics = self.ask(200, "GET", path + "/metrics")
        self.assertEqual(metrics["epoch"], [1, 2, 3])
        self.assertEqual(self.ask(200, "GET", path + "/metrics", Accept="text/csv"), self.ask(200, "GET", path + "/files/run/metrics.csv"))
        self.assertIn("run/model.safetensors", [f["name"] for f in self.ask(200, "GET", path + "/files")])
        # What it trained is a model: for who asks, and for the next job.
        self.assertIn({"id": job, "kind": "forecast", "command": "forecast train"}, self.ask(200, "GET", "/api/v1/models")["models"])
        about = self.ask(200, "GET", f"/api/v1/models/{job}")
        asked = {"model": job, "past": {"time": [3600 * i for i in range(about["seq_len"])], "columns": {n: [1.5] * about["seq_len"] for n in about["columns"]}}}
        next_rows = self.ask(200, "POST", "/api/v1/forecast/predict", asked)["columns"]
        self.assertEqual({n: len(v) for n, v in next_rows.items()}, {n: about["pred_len"] for n in about["targets"]})
        upload = self.ask(200, "GET", "/api/v1/uploads")[0]["id"]
        ask = self.ask(202, "POST", "/api/v1/jobs", {"command": "forecast predict", "model": job, "upload": upload})
        self.assertEqual(list(self.events(ask["id"]))[-1][2]["state"], "done", self.ask(200, "GET", f"/api/v1/jobs/{ask['id']}/log"))
        self.assertEqual(len(self.ask(200, "GET", f"/api/v1/jobs/{ask['id']}/files/run/forecast.csv").splitlines()), 5)
        self.ask(200, "DELETE", path)
        self.ask(404, "GET", path)
        self.ask(404, "GET", path + "/events")
        self.ask(404, "GET", f"/api/v1/models/{job}")

    def test_names(self):
        """Of a job at its beginning, while it runs, and after the service was killed; what is no name is refused."""
        upload = self.ask(201, "POST", "/api/v1/uploads?name=sales.csv", self.text)["id"]
        asked = {"command": "forecast train", "options": {**SMALL, "epochs": 100000}, "upload": upload}
        job = self.ask(202, "POST", "/api/v1/jobs", {**asked, "name": "the long one"})
        self.assertEqual(job["name"], "the long one")
        path = f"/api/v1/jobs/{job['id']}"
        for name in ("a\nb", "x" * 121, 3, None):
            self.ask(422, "POST", path + "/name", {"name": name})
            self.ask(422, "POST", "/api/v1/jobs", {**asked, "name": name})
        self.ask(400, "POST", path + "/name", "{")
        self.ask(422, "POST", path + "/name", {"name": "b", "id": 1})
        self.ask(404, "POST", "/api/v1/jobs/nosuch/name", {"name": "b"})
        while self.ask(200, "GET", path)["state"] != "running":
            time.sleep(0.02)
        self.ask(200, "POST", path + "/name", {"name": "x" * 120})
        self.end(signal.SIGKILL)
        self.start()
        self.assertEqual(self.ask(200, "GET", path)["name"], "x" * 120)
        self.ask(200, "POST", path + "/name", {"name": "longer still"})
        self.ask(200, "POST", path + "/cancel")
        list(self.events(job["id"]))
        self.assertEqual(self.ask(200, "GET", path)["name"], "longer still")

    def test_every_command(self):
        """Each, but for eis full, which takes minutes, as a job whose process is killed once, a moment after it began: with the same command it ends well, in its own folder alone."""
        spectrum, moment = self.folder / "well.csv", random.Random(7)
        self.code(0, "eis", "simulate", spectrum)
        well = self.ask(201, "POST", "/api/v1/uploads?name=well.csv", spectrum.read_text())["id"]
        other = self.ask(201, "POST", "/api/v1/uploads?name=other.csv", spectrum.read_text())["id"]
        sales = self.ask(201, "POST", "/api/v1/uploads?name=sales.csv", self.text)["id"]
        tune = {k: v for k, v in SMALL.items() if k not in ("epochs", "plots", "patience")}

        def done(command, options=None, **more):
            job = self.ask(202, "POST", "/api/v1/jobs", {"command": command, "options": options or {}, **more})["id"]
            for _, _, data in self.events(job):
                if data["event"] == "begin":
                    time.sleep(moment.uniform(0, 0.15))
                    try:
                        os.kill(data["pid"], signal.SIGKILL)
                    except ProcessLookupError:  # it was quicker
                        pass
                    break
            last = list(self.events(job))[-1][2]
            self.assertEqual(last, {"event": "state", "state": "done"}, (command, self.ask(200, "GET", f"/api/v1/jobs/{job}/log")))
            self.assertIsInstance(self.ask(200, "GET", f"/api/v1/jobs/{job}/result"), dict)
            return job

        model = done("forecast train", SMALL, upload=sales)
        before = {f: f.read_bytes() for f in (self.folder / "state/jobs" / model / "run").glob("*") if f.is_file()}
        done("forecast tune", {**tune, "trials": 2}, upload=sales)
        done("forecast update", {"steps": 5, "rows": 48}, upload=sales, model=model)
        done("forecast evaluate", upload=sales, model=model)
        done("forecast backtest", upload=sales, model=model)
        done("forecast predict", {"level": "80,95"}, upload=sales, model=model)
        done("forecast explain", upload=sales, model=model)
        done("eis complete", {"known": "Rsh=460,Ra=4.8k"}, upload=well)
        done("eis fit", upload=well)
        done("eis batch", uploads={"spectrum": [well, other]})
        rows = done("eis generate", {"n-ground-truths": 3, "points": 4})
        done("eis train", {"inputs": "known", "samples-per-pattern": 20, "epochs": 1, "hidden-dim": 16}, models={"data-dir": rows})
        done("bench", {"cases": "eis512", "quick": True})
        net = done("eis train", {"recipe": "grid", "pool-spectra": 1024, "batch-size": 64, "hidden-dim": 8, "epochs": 1})
        done("eis evaluate", {"test-spectra": 64}, model=net)
        done("bench", {"cases": "etth1", "seconds": 0.05})
        self.assertEqual({f: f.read_bytes() for f in (self.folder / "state/jobs" / model / "run").glob("*") if f.is_file()}, before)
        self.assertEqual({p.name for p in self.folder.iterdir()}, {"state", "series.csv", "well.csv"})

    def test_killed_service(self):
        job = self.train(epochs=300)
        for _, kind, data in self.events(job):
            if kind == "progress" and data.get("epoch", 0) > 3:
                break
        self.end(signal.SIGKILL)
        self.start()
        self.assertEqual(list(self.events(job))[-1][2], {"event": "state", "state": "done"})
        self.assertEqual(self.ask(200, "GET", f"/api/v1/jobs/{job}")["starts"], 1)

    def test_cancel(self):
        job, seen = self.train(epochs=100000), []
        followers = [threading.Thread(target=lambda: seen.append(list(self.events(job))[-1][2]["state"])) for _ in range(3)]
        for f in followers:
            f.start()
        for _, kind, _ in self.events(job):
            if kind == "progress":
                break
        self.ask(409, "DELETE", f"/api/v1/jobs/{job}")
        self.ask(200, "POST", f"/api/v1/jobs/{job}/cancel")
        for f in followers:
            f.join(60)
        self.assertEqual(seen, ["cancelled"] * 3)
        self.ask(409, "POST", f"/api/v1/jobs/{job}/cancel")
        self.ask(409, "GET", f"/api/v1/jobs/{job}/result")
        self.assertEqual(self.ask(200, "POST", f"/api/v1/jobs/{job}/resume")["state"], "queued")

    def test_refused(self):
        post = lambda status, body: self.ask(status, "POST", "/api/v1/jobs", body)
        self.assertEqual(post(422, {"command": "forecast train", "options": {"data": "/etc/passwd"}})["errors"][0]["pointer"], "/options/data")
        self.assertEqual(post(422, {"command": "rm"})["errors"][0]["pointer"], "/command")
        post(400, "{")
        post(400, "\xff")
        post(422, [])
        post(404, {"command": "forecast predict", "model": ".."})
        post(422, {"command": "forecast predict", "model": "../state"})
        post(404, {"command": "forecast train", "upload": "0" * 16})
        for path in ("/api/v1/jobs/..", "/api/v1/jobs/%2e%2e%2fx", "/api/v1/jobs/0123456789abcdef", "/api/v1/uploads/..%2f..%2fetc"):
            self.ask(404, "GET", path)
            self.ask(404, "DELETE", path)
        job = self.train()
        list(self.events(job))
        for name in ("run/../job.json", "job.json", "run/%2e%2e/job.json", "%2fetc%2fpasswd", "run/.tidemill/files"):
            self.ask(404, "GET", f"/api/v1/jobs/{job}/files/{name}")
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.addCleanup(c.close)
        c.putrequest("POST", "/api/v1/uploads")
        c.putheader("Content-Length", str((64 << 20) + 1))
        c.endheaders()
        self.assertEqual(c.getresponse().status, 413, "refused before it is sent")

    def test_strict(self):
        """What would be silent is refused: an empty file, a state or a command that there is not, no number of an event."""
        self.assertEqual(self.ask(422, "POST", "/api/v1/uploads?name=a", b"")["code"], "data")
        self.assertEqual(self.ask(200, "GET", "/api/v1/uploads"), [])
        for query, pointer in ("state=x", "/state"), ("command=x", "/command"), ("state=", "/state"):
            self.assertEqual(self.ask(422, "GET", "/api/v1/jobs?" + query)["errors"][0]["pointer"], pointer)
        self.assertEqual(self.ask(200, "GET", "/api/v1/jobs?state=done&command=bench"), [])
        self.assertEqual(self.ask(422, "GET", "/api/v1/jobs/x/events?after=-1")["errors"][0]["pointer"], "/after")
        self.assertEqual(self.ask(422, "GET", "/api/v1/jobs/x/events", Last_Event_ID="new")["errors"][0]["pointer"], "/Last-Event-ID")

    def test_machine(self):
        command = json.loads(self.code(0, "machine", "--json").stdout)
        self.assertEqual(set(self.ask(200, "GET", "/api/v1/machine")), set(command))

    def test_folder(self):
        """A second service on it: an error where the folder was named."""
        failure = self.error(2, "serve", "--port", "0", "--state", self.folder / "state")
        self.assertIn("another service", failure["message"])


if __name__ == "__main__":
    program.main("serve_kept")
