#!/usr/bin/env python3
"""What files have together: several series below each other, local times over a change of clocks, hours of a week, rows left out, repeated stamps,
columns that are known ahead. A run has the bits of the run on the plain table that Python makes of the same rows."""
import collections
import csv
import datetime
import io
import json
import math
import os
import pathlib
import random
import unittest
import zoneinfo

import program
from program import Case

LOOK_BACK, AHEAD = 24, 6
TINY = ["--seq-len", LOOK_BACK, "--pred-len", AHEAD, "--d-model", 8, "--d-ff", 8, "--e-layers", 1, "--n-heads", 1, "--epochs", 1, "--threads", 1,
        "--no-plots", "--quiet"]
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
UTC = datetime.timezone.utc
HOUR = datetime.timedelta(hours=1)
BACK = datetime.datetime(2027, 10, 31, 1, tzinfo=UTC)  # when clocks are put back
SHOPS = ["north", "south", "7"]


def value(shop, i):
    return round(20 + 5 * math.sin(i / 4 + shop) + (i * (7 + shop)) % 5 / 4, 2)


def local(instant):
    return instant.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M")


def text(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def wide(stamps, names, cells):
    return text([["date", *names], *([stamp, *(cells.get((name, i), "") for name in names)] for i, stamp in enumerate(stamps))])


def long(stamps, names, cells, by_time, head="shop"):
    rows = [(i, n) for i in range(len(stamps)) for n in names] if by_time else [(i, n) for n in names for i in range(len(stamps))]
    return text([[head, "date", "y"], *([n, stamps[i], cells[n, i]] for i, n in rows if (n, i) in cells)])


def open_hours(first, count):
    """Instants of the hours from 9 to 17, Monday to Friday, by the clocks of Berlin."""
    while count:
        at = first.astimezone(BERLIN)
        if at.weekday() < 5 and 9 <= at.hour <= 17:
            yield first
            count -= 1
        first += HOUR


class Combined(Case):
    def write(self, text, name="series.csv"):
        path = self.folder / name
        path.write_text(text)
        return path

    def train(self, text, *options, out="run"):
        data = self.write(text, out + ".csv")
        return self.code(0, "forecast", "train", "--data", data, "--out", self.folder / out, "--overwrite", *TINY, *options).stderr

    def predict(self, out="run", *options):
        return list(csv.reader(io.StringIO(self.code(0, "forecast", "predict", self.folder / out, "--no-plots", *options).stdout)))

    def tensors(self, out):
        raw = (self.folder / out / "model.safetensors").read_bytes()
        size = int.from_bytes(raw[:8], "little")
        meta = json.loads(json.loads(raw[8:8 + size])["__metadata__"]["tidemill.forecast"])
        return raw[8 + size:], {name: meta[name] for name in ("columns", "mean", "std")}

    def expect_same(self, one, other):
        self.assertEqual(self.tensors(one), self.tensors(other))

    def series_of(self, out="run"):
        """The stamps and values that are forecast, by series."""
        rows = self.predict(out)
        found = collections.defaultdict(list)
        for row in rows[1:]:
            found[row[0]].append(tuple(row[1:]))
        return found

    def test_long_over_a_change(self):
        """Each series has both hours in which clocks show 02:00, whichever way the rows of several stand, with ids of text or numbers."""
        hours = [BACK + (i - 100) * HOUR for i in range(160)]
        for names, head in ((SHOPS, "shop"), (["1", "2", "3"], "location")):
            cells = {(n, i): value(s, i) for s, n in enumerate(names) for i in range(160)}
            self.train(wide([t.isoformat() for t in hours], names, cells), "--tz", "Europe/Berlin", out="wide")
            for by_time in (False, True):
                with self.subTest(head=head, by_time=by_time):
                    said = self.train(long([local(t) for t in hours], names, cells, by_time, head), "--tz", "Europe/Berlin", "--strict-dates")
                    self.assertNotRegex(said, "twice|left out|repeat")
                    self.expect_same("run", "wide")
                    stamps = [local(hours[-1] + (k + 1) * HOUR) for k in range(AHEAD)]
                    self.assertEqual({n: [row[0] for row in rows] for n, rows in self.series_of().items()}, {n: stamps for n in names})

    def test_advised(self):
        """Without a zone the refusal names it, where the hour stands twice in each series as where there is one series alone."""
        hours = [BACK + (i - 100) * HOUR for i in range(160)]
        cells = {(n, i): value(s, i) for s, n in enumerate(SHOPS) for i in range(160)}
        stamps = [local(t) for t in hours]
        for written in (long(stamps, SHOPS, cells, False), long(stamps, SHOPS, cells, True), wide(stamps, SHOPS, cells)):
            data = self.write(written)
            done = program.run("forecast", "train", "--data", data, "--out", self.folder / "run", "--overwrite", *TINY)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertRegex(done.stderr, "--tz NAME, such as Europe/Berlin, .*--aggregate first, last or mean")
            self.assertEqual(self.train(written, "--tz", "Europe/Berlin", "--strict-dates"), self.train(written, "--tz", "Europe/Berlin"))

    def test_long_hours_of_a_week_with_gaps(self):
        """Open hours of local days over a change of clocks; rows left out of one series, of all, and empty cells."""
        seed = int.from_bytes(os.urandom(4), "little")
        random.seed(seed)
        hours = list(open_hours(BACK - 40 * 24 * HOUR, 540 + AHEAD))
        lost = {(n, i) for n in SHOPS for i in random.sample(range(30, 500), 9)} | {(n, i) for n in SHOPS for i in (200, 201, 350)}
        cells = {(n, i): value(s, i) for s, n in enumerate(SHOPS) for i in range(540) if (n, i) not in lost}
        self.train(wide([t.isoformat() for t in hours[:540]], SHOPS, cells), "--tz", "Europe/Berlin", out="wide")
        for by_time in (False, True):
            with self.subTest(seed=seed, by_time=by_time):
                said = self.train(long([local(t) for t in hours[:540]], SHOPS, cells, by_time), "--tz", "Europe/Berlin")
                self.assertIn("the rows keep to h, Mon-Fri 09:00-17:00", said)
                self.assertRegex(said, r"\d rows are left out \(the step is h, Mon-Fri 09:00-17:00\)")
                self.assertIn(f"missing: {len(lost)} cells", said)
                self.expect_same("run", "wide")
                for rows in self.series_of().values():
                    self.assertEqual([row[0] for row in rows], [local(t) for t in hours[540:]])

    def test_open_hours_with_a_gap(self):
        """Rows left out, a part of a day and whole days: as if their cells were empty."""
        hours = list(open_hours(datetime.datetime(2027, 3, 1, tzinfo=UTC), 400 + AHEAD))
        stamps = [local(t) for t in hours]
        lost = {*range(100, 104), *range(180, 200), 301}
        cells = {(n, i): value(s, i) for s, n in enumerate("ab") for i in range(400) if i not in lost}
        kept = [i for i in range(400) if i not in lost]
        for zone in ([], ["--tz", "Europe/Berlin"]):
            self.train(wide(stamps[:400], "ab", cells), *zone, out="empty")
            said = self.train(wide([stamps[i] for i in kept], "ab", {(n, k): cells[n, i] for n in "ab" for k, i in enumerate(kept)}), *zone)
            self.assertRegex(said, r"25 rows are left out \(the step is h, Mon-Fri 09:00-17:00\), at most 20 at once, first before line 102")
            self.expect_same("run", "empty")
            self.assertEqual([row[0] for row in self.predict()[1:]], stamps[400:])

    def test_aggregate_over_a_change(self):
        """Quarters of an hour become hours, of which clocks show one twice, and days, one of which has 25 of them."""
        quarters = [BACK - 3000 * HOUR / 4 + k * HOUR / 4 for k in range(6000)]
        cells = {(n, i): value(s, i) for s, n in enumerate(SHOPS) for i in range(6000)}
        for step, key, stamp in (("h", lambda t: t.replace(minute=0), lambda t: t.isoformat()),
                                 ("d", lambda t: t.astimezone(BERLIN).date(), lambda t: t.isoformat())):
            bins = list(dict.fromkeys(key(t) for t in quarters))
            sums = collections.defaultdict(list)
            for (n, i), v in cells.items():
                sums[n, bins.index(key(quarters[i]))].append(v)
            merged = {place: max(v) for place, v in sums.items()}
            self.train(wide([stamp(b) for b in bins], SHOPS, merged), "--tz", "Europe/Berlin", out="merged")
            options = ["--tz", "Europe/Berlin", "--aggregate", "max", "--freq", step]
            for name, written in (("wide", wide([local(t) for t in quarters], SHOPS, cells)), ("long", long([local(t) for t in quarters], SHOPS, cells, True)),
                                  ("by id", long([local(t) for t in quarters], SHOPS, cells, False))):
                with self.subTest(step=step, form=name):
                    said = self.train(written, *options)
                    self.assertRegex(said, f"rows became {len(bins) * (1 if name == 'wide' else 3)}, one for each .*step of {step}, with the max")
                    self.assertNotRegex(said, "left out|repeat|missing")
                    self.expect_same("run", "merged")

    def test_repeats_in_long_format(self):
        days = [str(datetime.date(2027, 1, 1) + datetime.timedelta(days=i)) for i in range(120)]
        cells = {(n, i): value(s, i) for s, n in enumerate(SHOPS) for i in range(120)}
        once = long(days, SHOPS, cells, False)
        self.train(once, out="once")
        line = f"south,{days[5]},{cells['south', 5]}\n"
        self.assertIn("1 row repeats what stands before it", self.train(once.replace(line, line + line)))
        self.expect_same("run", "once")
        other = once.replace(line, f"{line}south,{days[5]},99\n")
        done = program.run("forecast", "train", "--data", self.write(other), "--out", self.folder / "run", "--overwrite", *TINY)
        self.assertRegex(done.stderr, f"'south' has the stamp {days[5]} in line 127 and again here: --aggregate first, last or mean makes one")
        self.assertIn("361 rows became 360, one for each series and time stamp, with the first", self.train(other, "--aggregate", "first"))
        self.expect_same("run", "once")

    def test_known_in_long_format(self):
        """One of the series is known ahead: its rows go on behind those of the others, in the file, or in another one."""
        days = [str(datetime.date(2027, 1, 1) + datetime.timedelta(days=i)) for i in range(160 + AHEAD)]
        names = ["north", "south", "plan"]
        cells = {(n, i): value(s, i) for s, n in enumerate(names) for i in range(160 + (AHEAD if n == "plan" else 0))}
        roles = ["--known", "plan", "--targets", "north,south"]
        self.train(wide(days, names, cells), *roles, out="wide")
        expected = self.predict("wide")
        for by_time in (False, True):
            with self.subTest(by_time=by_time):
                self.train(long(days, names, cells, by_time), *roles)
                self.expect_same("run", "wide")
                found = self.series_of()
                self.assertEqual(found, {n: [(row[0], row[1 + s]) for row in expected[1:]] for s, n in enumerate(names[:2])})
                ahead = self.write(long(days[160:], ["plan"], {("plan", i): cells["plan", 160 + i] for i in range(AHEAD)}, by_time), "ahead.csv")
                self.train(long(days[:160], names, cells, by_time), *roles, out="past")
                self.assertEqual(self.predict("past", "--future", ahead), self.predict("run"))

    def test_known_instants(self):
        """What is known ahead is found by its instants, however the stamps of its file say which they are."""
        hours = [BACK + (i - 150) * HOUR for i in range(160 + AHEAD)]
        cells = {(n, i): value(s, i) for s, n in enumerate(["a", "plan"]) for i in range(160 + AHEAD)}
        roles = ["--known", "plan", "--targets", "a"]
        self.train(wide([t.astimezone(BERLIN).isoformat() for t in hours[:160]], ["a", "plan"], cells), *roles)
        shown = {}
        for name, stamp in {"utc": lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ"), "offset": lambda t: t.astimezone(BERLIN).isoformat(),
                            "other offset": lambda t: t.astimezone(zoneinfo.ZoneInfo("Asia/Tokyo")).isoformat()}.items():
            ahead = self.write(wide([stamp(t) for t in hours[160:]], ["plan"], {("plan", i): cells["plan", 160 + i] for i in range(AHEAD)}), "ahead.csv")
            shown[name] = self.predict("run", "--future", ahead)
            self.assertEqual(shown[name], shown["utc"])
        self.assertEqual([row[0] for row in shown["utc"][1:]], [t.astimezone(BERLIN).isoformat() for t in hours[160:]])

    def test_inputs_stay(self):
        """No command writes over a file that it reads, --overwrite or not."""
        days = [str(datetime.date(2027, 1, 1) + datetime.timedelta(days=i)) for i in range(160 + AHEAD)]
        cells = {(n, i): value(s, i) for s, n in enumerate(["a", "plan"]) for i in range(160 + AHEAD)}
        feasts = self.write("date,holiday\n2027-05-01,May day\n", "holidays.csv")
        self.train(wide(days[:160], ["a", "plan"], cells), "--known", "plan", "--targets", "a", "--holidays", feasts)
        ahead = self.write(wide(days[160:], ["plan"], {("plan", i): cells["plan", 160 + i] for i in range(AHEAD)}), "ahead.csv")
        given = ["--holidays", feasts, "--overwrite"]
        for command, read in ((["predict", "--future", ahead, "--output", feasts], feasts), (["predict", "--future", ahead, "--output", ahead], ahead),
                              (["backtest", "--data", self.folder / "run.csv", "--output", feasts], feasts),
                              (["evaluate", "--data", self.folder / "run.csv", "--save-predictions", feasts], feasts)):
            with self.subTest(command=command[0], read=read.name):
                before = read.read_bytes()
                done = self.code(2, "forecast", *command, "--model", self.folder / "run", *given)
                self.assertIn(f"{read} is read by this command", done.stderr)
                self.assertEqual(read.read_bytes(), before)
        inside = self.folder / "run" / "metrics.csv"
        inside.write_bytes(feasts.read_bytes())
        done = self.code(2, "forecast", "train", "--data", self.folder / "run.csv", "--holidays", inside, "--out", self.folder / "run", "--overwrite", *TINY)
        self.assertIn("is read by this command", done.stderr)
        self.assertEqual(inside.read_bytes(), feasts.read_bytes())

    def test_nothing_to_train_on(self):
        """A column whose values all come after the training rows has no scale: that is told, and not of one that has."""
        days = [str(datetime.date(2027, 1, 1) + datetime.timedelta(days=i)) for i in range(160)]
        cells = {("a", i): value(0, i) for i in range(160)} | {("b", i): 1000 + value(1, i) for i in range(130, 160)}
        said = "'b' holds no value in the 112 rows that are trained on"
        warned = self.run_of(wide(days, ["a", "b"], cells))
        self.assertIn(said, warned)
        self.assertNotIn("'a' holds", warned)
        self.assertNotIn(said, self.run_of(wide(days, ["a", "b"], cells | {("b", 100): 1000.0, ("b", 101): 1001.0})))

    def run_of(self, table):
        return self.code(0, "forecast", "train", "--data", self.write(table), "--out", self.folder / "run", "--overwrite", *TINY[:-1]).stderr

    def test_two_clocks(self):
        """Series whose clocks stand in different zones: refused, and read in one."""
        hours = [BACK + (i - 50) * HOUR for i in range(100)]
        cells = {(n, i): value(s, i) for s, n in enumerate(SHOPS[:2]) for i in range(100)}
        rows = [[n, (t.astimezone(zoneinfo.ZoneInfo(("Europe/Berlin", "Asia/Tokyo")[s]))).isoformat(), cells[n, i]]
                for s, n in enumerate(SHOPS[:2]) for i, t in enumerate(hours)]
        written = text([["shop", "date", "y"], *rows])
        done = program.run("forecast", "train", "--data", self.write(written), "--out", self.folder / "run", "--overwrite", *TINY)
        self.assertRegex(done.stderr, "series.csv:102: .* by another clock: --tz NAME")
        self.train(written, "--tz", "UTC", "--strict-dates")
        self.train(wide([t.isoformat() for t in hours], SHOPS[:2], cells), "--tz", "UTC", out="wide")
        self.expect_same("run", "wide")

    def test_intervals_in_long_format(self):
        """Bounds stand around the value, as in the table with a column for each series; a stamp with a comma is quoted."""
        days = [(datetime.date(2027, 1, 1) + datetime.timedelta(days=i)).strftime("%b %-d, %Y") for i in range(160)]
        cells = {(n, i): value(s, i) for s, n in enumerate(SHOPS) for i in range(160)}
        self.train(wide(days, SHOPS, cells), out="wide")
        self.train(long(days, SHOPS, cells, True))
        expected, found = self.predict("wide", "--level", "80,95"), self.predict("run", "--level", "80,95")
        self.assertEqual(found[0], ["shop", "date", *(name.replace("north", "y") for name in expected[0][1:6])])
        self.assertEqual(found[1:], [[n, row[0], *row[1 + 5 * s:6 + 5 * s]] for s, n in enumerate(SHOPS) for row in expected[1:]])


Combined = unittest.skipUnless(any(pathlib.Path(path, "Europe/Berlin").exists() for path in zoneinfo.TZPATH), "needs tzdata")(Combined)

if __name__ == "__main__":
    program.main("combined")
