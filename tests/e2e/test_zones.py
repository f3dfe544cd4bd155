#!/usr/bin/env python3
"""Time zones beside Python's zoneinfo: series that end before clocks are changed, or over the change, in each form in which stamps are written."""
import datetime
import math
import pathlib
import sys
import unittest
import zoneinfo

import program
from program import Case

UTC = datetime.timezone.utc
LOOK_BACK, AHEAD, ROWS = 24, 6, 60
TINY = ["--seq-len", LOOK_BACK, "--pred-len", AHEAD, "--d-model", 8, "--d-ff", 8, "--e-layers", 1, "--n-heads", 1, "--epochs", 1, "--threads", 1,
        "--no-plots", "--quiet"]
STEPS = {"h": datetime.timedelta(hours=1), "30min": datetime.timedelta(minutes=30), "15min": datetime.timedelta(minutes=15)}
SLOW = "slow" in sys.argv
ZONES = ["Europe/Berlin", "Australia/Lord_Howe"] + SLOW * ["America/New_York", "Australia/Sydney", "Europe/London", "America/St_Johns"]
YEAR = 2027


def wave(i):
    return f"{10 + 5 * math.sin(2 * math.pi * i / 24):.3f},{10 + 5 * math.sin(2 * math.pi * i / 24 + 1):.3f}"


def table(stamps):
    return "\n".join(["date,a,b", *(f"{stamp},{wave(i)}" for i, stamp in enumerate(stamps))]) + "\n"


def changes(name, year=YEAR):
    """The instants at which the zone's clocks are changed in a year."""
    zone, at = zoneinfo.ZoneInfo(name), datetime.datetime(year, 1, 1, tzinfo=UTC)
    found = []
    while at.year == year:
        later = at + datetime.timedelta(minutes=15)
        if at.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            found.append(later)
        at = later
    return found


def twice(local):
    """Is the local time shown twice?"""
    return local.replace(fold=0).utcoffset() > local.replace(fold=1).utcoffset()


def with_offset(local, middle=" "):
    text = local.strftime(f"%Y-%m-%d{middle}%H:%M:%S%z")
    return text[:-2] + ":" + text[-2:]


# How a file writes instants, and how a forecast of it writes those of a zone.
FORMS = {
    "local": (lambda t, z: t.astimezone(z).strftime("%Y-%m-%d %H:%M:%S"),
              lambda t, z: with_offset(t.astimezone(z)) if twice(t.astimezone(z)) else t.astimezone(z).strftime("%Y-%m-%d %H:%M:%S")),
    "offset": (lambda t, z: with_offset(t.astimezone(z), "T"), lambda t, z: with_offset(t.astimezone(z), "T")),
    "compact offset": (lambda t, z: t.astimezone(z).strftime("%Y-%m-%d %H:%M%z"), lambda t, z: t.astimezone(z).strftime("%Y-%m-%d %H:%M%z")),
    "utc": (lambda t, z: t.strftime("%Y-%m-%dT%H:%M:%SZ"),
            lambda t, z: with_offset(t.astimezone(z), "T") if t.astimezone(z).utcoffset() else t.strftime("%Y-%m-%dT%H:%M:%SZ")),
    "epoch": (lambda t, z: str(int(t.timestamp())), lambda t, z: str(int(t.timestamp()))),
    "day first": (lambda t, z: t.astimezone(z).strftime("%d.%m.%Y %H:%M"),
                  lambda t, z: t.astimezone(z).strftime("%d.%m.%Y %H:%M") + (with_offset(t.astimezone(z))[-6:] if twice(t.astimezone(z)) else "")),
}


@unittest.skipUnless(any(pathlib.Path(path, "Europe/Berlin").exists() for path in zoneinfo.TZPATH), "needs tzdata")
class Zones(Case):
    def write(self, text, name="series.csv"):
        path = self.folder / name
        path.write_text(text)
        return path

    def train(self, data, *options, out="run"):
        return self.code(0, "forecast", "train", "--data", data, "--out", self.folder / out, "--overwrite", *TINY, *options)

    def forecast(self, data, *options, out="run"):
        """Stamps and numbers of a forecast, nothing said of the spacing of the rows."""
        done = self.code(0, "forecast", "predict", self.folder / out, *(["--data", data] if data else []), "--no-plots", *options)
        self.assertNotRegex(done.stderr, "repeated|missing|off the step|twice|tz")
        rows = [line.split(",") for line in done.stdout.splitlines()[1:]]
        return [row[0] for row in rows], [row[1:] for row in rows]

    def test_hours(self):
        """Forecasts over each change of clocks, and from rows over it; what is forecast can be read as the file's next rows."""
        for unit, step in STEPS.items():
            start = datetime.datetime(2027, 6, 1, tzinfo=UTC)
            self.train(self.write(table(FORMS["local"][0](start + i * step, UTC) for i in range(150))))
            for name in ZONES:
                if unit == "h" and name == "Australia/Lord_Howe":
                    continue  # its clocks move by half of the step
                zone = zoneinfo.ZoneInfo(name)
                for change in changes(name):
                    for past in (1, 3, 20):
                        for form, (given, wanted) in FORMS.items():
                            if past != 3 and form != "local":
                                continue
                            with self.subTest(unit=unit, zone=name, change=change, past=past, form=form):
                                first = change + (past % 20 - ROWS) * step + (past == 20) * 10 * step
                                times = [first + i * step for i in range(ROWS + 2 * AHEAD)]
                                stamps = [given(t, zone) for t in times[:ROWS]]
                                told = ["--tz", name, "--date-order", "dmy"]
                                found, _ = self.forecast(self.write(table(stamps)), *told)
                                self.assertEqual(found, [wanted(t, zone) for t in times[ROWS:ROWS + AHEAD]])
                                found, _ = self.forecast(self.write(table(stamps + found)), *told)
                                self.assertEqual(found, [wanted(t, zone) for t in times[ROWS + AHEAD:]])

    def test_days(self):
        """Days of 23 and 25 hours: the same local time, by dates, by clocks and with offsets, also where midnight is skipped or comes twice."""
        start = datetime.datetime(2027, 6, 1)
        self.train(self.write(table((start + datetime.timedelta(days=i)).strftime("%Y-%m-%d") for i in range(150))))
        for name in [*ZONES, "Africa/Cairo", "America/Havana"]:
            zone = zoneinfo.ZoneInfo(name)
            for change in changes(name):
                for hour, form in ((0, "%Y-%m-%d"), (0, "%Y-%m-%d %H:%M:%S"), (18, "%Y-%m-%d %H:%M:%S"), (6, None)):
                    with self.subTest(zone=name, change=change, hour=hour, form=form):
                        day = datetime.datetime.combine(change.astimezone(zone).date(), datetime.time(hour), zone) - datetime.timedelta(days=ROWS + 2)
                        days = [day + datetime.timedelta(days=i) for i in range(ROWS + 2 * AHEAD)]  # by the wall clock
                        shown = [t.astimezone(UTC).astimezone(zone) for t in days]  # what is skipped is as far behind the change
                        stamps = [with_offset(t) if not form else with_offset(t) if "H" in form and twice(t) else t.strftime(form) for t in shown]
                        found, _ = self.forecast(self.write(table(stamps[:ROWS])), "--tz", name)
                        self.assertEqual(found, stamps[ROWS:ROWS + AHEAD])
                        found, _ = self.forecast(self.write(table(stamps[:ROWS] + found)), "--tz", name)
                        self.assertEqual(found, stamps[ROWS + AHEAD:])

    def test_clock_of_marks(self):
        """The local time's marks, whatever the stamps are written as; none of UTC's."""
        zone = zoneinfo.ZoneInfo("America/New_York")
        times = [datetime.datetime(2027, 6, 1, tzinfo=UTC) + i * STEPS["h"] for i in range(200)]
        self.train(self.write(table(FORMS["local"][0](t, zone) for t in times)))
        local = self.forecast(None)
        self.assertEqual(self.forecast(self.folder / "series.csv", "--tz", "America/New_York"), local)
        for form in ("utc", "epoch", "offset"):
            data = self.write(table(FORMS[form][0](t, zone) for t in times))
            self.assertEqual(self.forecast(data, "--tz", "America/New_York")[1], local[1], form)
            if form != "offset":
                self.assertNotEqual(self.forecast(data)[1], local[1], form)

    def test_kept_in_the_run(self):
        """Predict and evaluate go by the run's zone, unless another is given; the rows kept in the run are shown in it."""
        name = "Europe/Berlin"
        zone, change = zoneinfo.ZoneInfo(name), changes("Europe/Berlin")[1]
        for form, (given, wanted) in FORMS.items():
            with self.subTest(form):
                times = [change + (i - 148) * STEPS["h"] for i in range(150 + AHEAD)]
                data = self.write(table(given(t, zone) for t in times[:150]))
                self.train(data, "--tz", name, "--date-order", "dmy")
                expected = [wanted(t, zone) for t in times[150:]]
                kept, asked = self.forecast(None), self.forecast(data)
                self.assertEqual(kept, asked)
                self.assertEqual(kept[0], expected)
                elsewhere = zoneinfo.ZoneInfo("America/New_York")
                self.assertEqual(self.forecast(None, "--tz", "America/New_York")[0], [wanted(t, elsewhere) for t in times[150:]])
                self.code(0, "forecast", "evaluate", "--model", self.folder / "run", "--data", data)

    def test_offsets_alone(self):
        """Without a zone the last offset goes on; the option that the note names knows the change."""
        name = "Europe/Berlin"
        zone, (spring, autumn) = zoneinfo.ZoneInfo(name), changes("Europe/Berlin")
        times = [spring + (i - 100) * STEPS["h"] for i in range(150 + AHEAD)]
        data = self.write(table(with_offset(t.astimezone(zone)) for t in times[:150]))
        said = self.train(data).stderr
        self.assertIn("the offset of the stamps changes, first at line 102", said)
        self.assertNotRegex(said, "repeated|missing")
        expected = [with_offset(t.astimezone(zone)) for t in times[150:]]
        for options in ([], ["--tz", name]):
            self.assertEqual(self.forecast(None, *options)[0], expected)
        long = [autumn + (i - 155) * STEPS["h"] for i in range(154 + AHEAD)]
        head = [spring + (i - 46) * STEPS["h"] for i in range(46)]
        both = self.write(table(with_offset(t.astimezone(zone)) for t in head + long[:154]))
        summer = datetime.timezone(datetime.timedelta(hours=2))
        for options, clock in (([], summer), (["--tz", name], zone)):
            done = self.code(0, "forecast", "predict", self.folder / "run", "--data", both, "--no-plots", *options)
            self.assertEqual([line.split(",")[0] for line in done.stdout.splitlines()[1:]], [with_offset(t.astimezone(clock)) for t in long[154:]])

    def test_reported(self):
        """A file of the public reports: hours at +02:00, then at +01:00."""
        data = program.SHARED / "data/forecast/reported/dst_offsets.csv"
        if not data.exists():
            self.skipTest(f"needs {data}")
        self.assertNotRegex(self.train(data, "--strict-dates").stderr, "repeated|missing")
        self.assertEqual(self.forecast(None)[0], [f"2024-11-04 {hour:02}:00:00+01:00" for hour in range(1, 7)])

    def test_months(self):
        """The same day and hour of each month, across changes of offset."""
        zone = zoneinfo.ZoneInfo("Europe/Berlin")
        months = [datetime.datetime(2000 + i // 12, i % 12 + 1, 1, 6, tzinfo=zone) for i in range(120 + AHEAD)]
        self.train(self.write(table(t.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") for t in months[:120])), "--tz", "Europe/Berlin")
        self.assertEqual(self.forecast(None)[0], [with_offset(t) for t in months[120:]])

    def test_advised(self):
        """Local times of no zone over a change of clocks: the message names the option that reads them."""
        for name in ("Europe/Berlin", "America/New_York", "Australia/Sydney"):
            zone = zoneinfo.ZoneInfo(name)
            for step in STEPS.values():
                for change in changes(name):
                    with self.subTest(zone=name, step=step, change=change):
                        times = [change + (i - 80) * step for i in range(150 + AHEAD)]
                        data = self.write(table(t.astimezone(zone).strftime("%Y-%m-%d %H:%M") for t in times[:150]))
                        done = program.run("forecast", "train", "--data", data, "--out", self.folder / "run", "--overwrite", *TINY)
                        self.assertRegex(done.stderr, "--tz NAME")
                        self.assertNotIn("--sort", done.stderr)
                        self.assertNotRegex(self.train(data, "--tz", name, "--strict-dates").stderr, "repeated|missing|tz")
                        self.assertEqual(self.forecast(None)[0], [t.astimezone(zone).strftime("%Y-%m-%d %H:%M") for t in times[150:]])

    def test_refused(self):
        hours = [datetime.datetime(2027, 3, 27) + i * STEPS["h"] for i in range(100)]
        data = self.write(table(t.strftime("%Y-%m-%d %H:%M") for t in hours))
        error = self.error(3, "forecast", "train", "--data", data, "--out", self.folder / "run", *TINY, "--tz", "Europe/Berlin")
        self.assertEqual((error["row"], error["column"]), (28, "date"))
        self.assertIn("'2027-03-28 02:00' is no local time of Europe/Berlin", error["message"])
        self.train(data)  # as it advises: without the zone
        error = self.error(2, "forecast", "predict", self.folder / "run", "--no-plots", "--tz", "Europe/Berlin")
        self.assertIn("local times of no zone", error["message"])
        error = self.error(2, "forecast", "train", "--data", data, "--out", self.folder / "other", *TINY, "--tz", "Europe/Berln")
        self.assertIn("near it are Europe/Berlin", error["message"])

    def test_without_a_database(self):
        hours = [datetime.datetime(2027, 6, 1) + i * STEPS["h"] for i in range(100)]
        data = self.write(table(t.strftime("%Y-%m-%d %H:%M") for t in hours))
        self.train(data, "--tz", "Europe/Berlin")
        for words in (["train", "--data", data, "--out", self.folder / "other", *TINY, "--tz", "Europe/Berlin"],
                      ["predict", self.folder / "run", "--no-plots"], ["predict", self.folder / "run", "--data", data, "--no-plots"]):
            done = program.run("forecast", *words, env={"TZDIR": self.folder / "nowhere"})
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("install the package tzdata", done.stderr)


if __name__ == "__main__":
    program.main("zones")
