#!/usr/bin/env python3
"""The jobs and uploads of a service, without its HTTP (tests/serve/jobs_service.c): kept through kills of the service and of the jobs' processes, and
through hostile requests. "slow": twenty kills."""
import contextlib
import csv
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import time

import program
from program import Case

SERVICE = os.environ["JOBS_SERVICE"]
SMALL = {"seq-len": 16, "pred-len": 4, "d-model": 16, "d-ff": 16, "n-heads": 2, "e-layers": 1, "batch-size": 16, "epochs": 2, "plots": False, "patience": 0}
SLOW = "slow" in sys.argv
KILLS = 20 if SLOW else 3


class Service:
    def __init__(self, folder, **more):
        self.process = subprocess.Popen([SERVICE, str(folder), program.PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=program.environment(), **more)
        self.first = json.loads(self.process.stdout.readline())

    def ask(self, what, **q):
        self.process.stdin.write(json.dumps({"do": what, **q}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self, kill=False):
        if kill:
            self.process.kill()
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def kill(pid):
    """It may have come to its end by itself meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def living(pid):
    """A zombie is not: whoever adopts it here may not wait for it."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Served(Case):
    def setUp(self):
        super().setUp()
        self.state = self.folder / "state"
        self.text = program.write_series(self.folder / "series.csv").read_text()
        self.start()

    def tearDown(self):
        for job in self.ask("list"):
            if job["state"] in ("queued", "running"):
                self.service.ask("cancel", id=job["id"])
        for job in self.ask("list"):
            self.until(job["id"], "done", "failed", "cancelled", "stopped")
        self.service.end()

    def start(self, **more):
        self.service = Service(self.state, **more)
        self.assertEqual(self.service.first, {})

    def ask(self, what, **q):
        answer = self.service.ask(what, **q)
        self.assertIn("ok", answer, (what, q))
        return answer["ok"]

    def refused(self, column, what, **q):
        answer = self.service.ask(what, **q)
        self.assertEqual(answer.get("error", {}).get("column"), column, answer)
        return answer["error"]["message"]

    def train(self, **options):
        upload = self.ask("put", name="sales.csv", text=self.text)["id"]
        return self.ask("submit", job={"command": "forecast train", "options": {**SMALL, **options}, "upload": upload})

    def until(self, job, *states, more=lambda got: True):
        for _ in range(3000):
            got = self.ask("get", id=job)
            if got["state"] in states and more(got):
                return got
            time.sleep(0.02)
        self.fail(f"{got}\n{self.ask('log', id=job)}")

    def run_folder(self, job):
        return self.state / "jobs" / job / "run"

    def bits(self, job):
        with open(self.run_folder(job) / "metrics.csv") as file:
            rows = [{k: v for k, v in row.items() if k in ("epoch", "step", "train_loss", "val_loss", "lr")} for row in csv.DictReader(file)]
        self.assertGreater(len(rows[0]), 2)
        blob = (self.run_folder(job) / "model.safetensors").read_bytes()
        return rows, blob[8 + int.from_bytes(blob[:8], "little"):]

    def pid(self, job):
        return json.loads((self.state / "jobs" / job / "job.json").read_text())["pid"]


class Jobs(Served):
    def test_to_its_end(self):
        job = self.train()
        got = self.until(job, "done")
        self.assertEqual((got["exit"], got["starts"], got["progress"]["epoch"]), (0, 1, 2))
        self.assertIn("--epochs=2", got["cli"])
        self.assertNotIn("words", got)
        self.assertEqual(self.ask("result", id=job)["command"], "forecast train")
        self.assertIn("run/model.safetensors", [f["name"] for f in self.ask("files", id=job)])
        self.assertEqual(self.ask("file", id=job, name="run/metrics.csv"), (self.run_folder(job) / "metrics.csv").stat().st_size)
        self.assertTrue(self.ask("log", id=job).endswith("end: exit 0\n-- done\n"))
        events, after = [], 0
        while more := self.ask("events", id=job, after=after)["events"]:
            events += more[:3]
            after = events[-1]["id"]
        self.assertEqual(len({e["id"] for e in events}), len(events))
        whole = self.ask("events", id=job, after=0)["events"]
        self.assertEqual(events, whole, "a cursor sees each event once")
        self.assertEqual([e["data"]["state"] for e in whole if e["event"] == "state"], ["queued", "running", "done"])
        self.assertEqual(self.ask("events", id=job, after=whole[0]["id"] + 3)["events"], whole[2:], "within a line: what follows it")
        self.assertEqual(self.ask("events", id=job, after=10**18)["events"], [])
        self.refused("state", "cancel", id=job)
        self.refused("state", "resume", id=job)
        self.ask("remove", id=job)
        self.assertFalse((self.state / "jobs" / job).exists())
        self.refused("id", "get", id=job)
        self.assertEqual(self.ask("list"), [])

    def test_kills(self):
        """Of the service, of the process, of both, at random moments: the bits are those of an undisturbed run."""
        moment = random.Random(os.environ.get("SEED", "5"))
        epochs = 60 * KILLS + 20
        still = self.train(epochs=epochs)
        self.until(still, "done")
        job, seen, kinds = self.train(epochs=epochs), 0, []
        for number in range(KILLS):
            got = self.until(job, "running", "done", more=lambda g: g["state"] == "done" or (g["progress"] or {}).get("epoch", 0) > seen)
            if got["state"] == "done":
                break
            seen = got["progress"]["epoch"]
            time.sleep(moment.uniform(0, 0.05))
            kinds.append(("service", "process", "both")[number % 3])
            pid = self.pid(job)
            if kinds[-1] != "process":
                self.service.end(kill=True)
            if kinds[-1] != "service" and living(pid):
                kill(pid)
            if kinds[-1] != "process":
                self.start()
        self.assertGreaterEqual(len(kinds), min(KILLS, 3), "the run must last longer than the kills")
        got = self.until(job, "done")
        self.assertGreaterEqual(got["starts"], 2)
        self.assertEqual(self.bits(job), self.bits(still))

    def test_one_service(self):
        second = Service(self.state)
        self.assertIn("another service", second.first["error"]["message"])
        second.end()

    def test_hostile(self):
        upload = self.ask("put", name="../../../etc/pass wd\x01.csv", text=self.text)
        self.assertEqual(upload["name"], "pass_wd_.csv")
        for column, job in [
            ("data", {"options": {"data": "/etc/passwd"}}), ("threads", {"options": {"threads": 64}}), ("out", {"options": {"out": "/tmp/x"}}),
            ("overwrite", {"options": {"overwrite": True}}), ("device", {"options": {"device": "cuda"}}), ("model", {"options": {"model": "x"}}),
            ("config", {"options": {"config": "/etc/passwd"}}), ("epochs", {"options": {"epochs": 1e9}}), ("options", {"options": [1]}),
            ("options", {"options": {"options": {"data": "/etc/passwd"}}}), ("upload", {"upload": "../../x"}), ("upload", {"upload": 5}),
            ("id", {"upload": "0" * 16}), ("out", {"uploads": {"out": upload["id"]}}), ("data", {"uploads": {"data": "x"}}), ("shell", {"shell": "rm"}),
            ("command", {"command": "selftest"}), ("command", {"command": None}), ("id", {"models": {"from": "0" * 16}}), ("model", {"model": "/etc"}),
        ]:
            message = self.refused(column, "submit", job={"command": "forecast train", **job})
            self.assertTrue(message)
        for bad in ("", "..", "../jobs", "0" * 15, "0" * 17, "A" * 16, "../../../../etc", "jobs.db", "0123456789abcde/", "%2e%2e", None):
            for what in ("get", "cancel", "resume", "remove", "events", "log", "result", "files", "drop"):
                self.refused("id", what, id=bad)
        self.assertEqual(self.ask("list"), [])
        job = self.train()
        self.until(job, "done")
        run = self.run_folder(job)
        (run / "out").symlink_to("/etc")
        (run / "passwd").symlink_to("/etc/passwd")
        os.mkfifo(run / "pipe")
        for name in ("run/../job.json", "job.json", "run/passwd", "run/out/passwd", "/etc/passwd", "run//etc/passwd", "run/", "run", "run/.tidemill/files", "run/pipe", ""):
            self.refused("file", "file", id=job, name=name)
        self.assertFalse({"run/passwd", "run/out/passwd", "run/pipe"} & {f["name"] for f in self.ask("files", id=job)})
        self.ask("remove", id=job)
        self.assertTrue(pathlib.Path("/etc/passwd").exists(), "links are taken away, not what they lead to")

    def test_uploads(self):
        first = self.ask("put", name="a.csv", text="1")
        self.assertEqual(first["sha256"], "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b")
        job_input = self.ask("put", name="b.csv", text=self.text)["id"]
        job = self.ask("submit", job={"command": "forecast train", "options": SMALL, "upload": job_input})
        self.ask("drop", id=job_input)
        self.until(job, "done")
        self.refused("id", "drop", id=job_input)
        for number in range(8):  # the eighth more is one too many: the oldest goes
            last = self.ask("put", name=f"{number}.csv", text=str(number))["id"]
        self.refused("id", "submit", job={"command": "forecast train", "upload": first["id"]})
        self.refused("id", "drop", id=first["id"])
        (self.state / "uploads/.new-0123456789abcdef").write_text("half")
        (self.state / "uploads/notes.txt").write_text("mine")
        self.service.end()
        self.start()
        self.assertFalse((self.state / "uploads/.new-0123456789abcdef").exists())
        self.assertEqual((self.state / "uploads/notes.txt").read_text(), "mine")
        self.ask("drop", id=last)

    def test_full_disk(self):
        """A file size limit stands for it: what was asked fails with a message, and the service lives."""
        self.service.end()
        self.start(preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))),
                   restore_signals=False)
        answer = self.service.ask("put", name="a.csv", text=self.text)
        self.assertEqual(answer["error"]["status"], "input or output")
        self.assertEqual([p.name for p in (self.state / "uploads").iterdir()], [".tidemill-store"])
        self.assertIn("error", self.service.ask("submit", job={"command": "forecast train", "options": {"sum-horizon": True}, "upload": "0" * 16}))
        self.assertEqual(self.ask("list"), [])
        self.assertTrue(self.ask("put", name="a.csv", text="small")["id"])
        self.service.end()
        self.start()


class Longer(Served if SLOW else object):
    def test_goes_on_alone(self):
        job = self.train(epochs=400)
        self.until(job, "running", more=lambda g: g["progress"])
        pid = self.pid(job)
        self.service.end(kill=True)
        for _ in range(3000):
            if not living(pid):
                break
            time.sleep(0.02)
        self.start()
        got = self.until(job, "done")
        self.assertEqual((got["starts"], got["progress"]["epoch"], got["exit"]), (1, 400, 0), "it ended while nobody looked")

    def test_cancel_and_resume(self):
        still = self.train(epochs=300)
        self.until(still, "done")
        job = self.train(epochs=300)
        waiting = self.train()
        self.until(job, "running", more=lambda g: (g["progress"] or {}).get("epoch", 0) > 5)
        self.ask("cancel", id=waiting)
        self.assertEqual(self.ask("get", id=waiting)["state"], "cancelled")
        self.refused("state", "remove", id=job)
        self.ask("cancel", id=job)
        got = self.until(job, "cancelled", "done")
        self.assertEqual(got["state"], "cancelled")
        self.assertTrue((self.run_folder(job) / "state.safetensors").exists())
        self.refused("state", "result", id=job)
        self.ask("resume", id=job)
        self.until(job, "done")
        self.assertEqual(self.bits(job), self.bits(still))

    def test_queue(self):
        first = self.train(epochs=100000)
        self.until(first, "running")
        rest = [self.train() for _ in range(4)]
        upload = self.ask("put", name="x", text=self.text)["id"]
        self.refused("queue", "submit", job={"command": "forecast train", "upload": upload})
        self.assertEqual([self.ask("get", id=j)["state"] for j in rest], ["queued"] * 4)
        self.service.end(kill=True)
        self.start()
        self.assertEqual([j["id"] for j in self.ask("list", state="queued")], rest[::-1])
        self.ask("cancel", id=first)
        done = [self.until(j, "done")["ended"] for j in rest]
        self.assertEqual(done, sorted(done), "in the order in which they came")

    def test_index(self):
        """The database is nothing but an index: gone, garbage, a link, it is made again."""
        jobs = [self.train() for _ in range(3)]
        for job in jobs:
            self.until(job, "done")
        before = self.ask("list")
        self.assertEqual([j["id"] for j in before], jobs[::-1])
        db = self.state / "jobs/jobs.db"
        precious = self.folder / "precious"
        precious.write_text("mine")
        for damage in (lambda: None, lambda: db.write_bytes(b"garbage" * 1000), lambda: db.symlink_to(precious),
                       lambda: db.write_bytes(b"SQLite format 3\0" + bytes(4080))):
            self.service.end()
            for file in self.state.glob("jobs/jobs.db*"):
                file.unlink()
            damage()
            self.start()
            self.assertEqual(self.ask("list"), before)
        self.assertEqual(precious.read_text(), "mine")
        # While the service runs, and a broken record among good ones.
        with open(db, "r+b") as file:
            file.truncate(0)
        (self.state / "jobs/jobs.db-wal").write_bytes(b"")
        (self.state / "jobs" / jobs[0] / "job.json").write_text('{"id": ')
        self.ask("remove", id=jobs[1])
        self.service.end()
        self.start()
        self.assertEqual([j["id"] for j in self.ask("list")], [jobs[2]])
        self.assertIn("error", self.service.ask("get", id=jobs[0]))
        self.assertTrue(self.run_folder(jobs[0]).exists(), "what cannot be read is left alone")

    def test_failures(self):
        upload = self.ask("put", name="sales.csv", text="date,a\n2024-01-01,x\n")["id"]
        job = self.ask("submit", job={"command": "forecast train", "options": SMALL, "upload": upload})
        got = self.until(job, "failed")
        self.assertEqual(got["exit"], 3)
        self.assertIn("sales.csv", got["message"] + self.ask("log", id=job))
        # Killed again and again without coming further.
        slow = self.train(epochs=100000, **{"d-model": 512, "d-ff": 512, "batch-size": 256})
        starts = 0
        while (got := self.until(slow, "running", "failed", more=lambda g: g["state"] == "failed" or g["starts"] > starts))["state"] == "running":
            starts = got["starts"]
            pid = 0
            while not pid and self.ask("get", id=slow)["state"] == "running":
                pid = self.pid(slow)
            if pid:
                kill(pid)
        self.assertIn("killed", got["message"])
        self.assertEqual(got["starts"], 4)


if __name__ == "__main__":
    program.main("serve_jobs")
