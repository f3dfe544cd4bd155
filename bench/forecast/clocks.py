#!/usr/bin/env python3
"""Forecasts across both changes of clocks: loads that go by the local clock, hourly and each quarter of an hour, forecast day by day.

    python3 bench/forecast/clocks.py build/cli/tidemill --series 5 --work W

A made load of Europe/Berlin (a morning and an evening peak by the local clock, weekends, slow noise) is written with instants in UTC. A small
iTransformer learns three years of it and forecasts each local day of the fourth from its last row of the day before (days of 23, 24 and 25 hours): of
the instants alone, with `--tz Europe/Berlin`, and with what the local clock will show as columns known ahead. Printed is the mean absolute error on the
day of each change, the six days after it, and the other days of the five weeks around it, beside the values of the day and the week before, and what the
noise alone leaves."""
import argparse
import csv
import datetime
import math
import pathlib
import random
import statistics
import subprocess
import zoneinfo

ZONE, UTC = zoneinfo.ZoneInfo("Europe/Berlin"), datetime.timezone.utc
START, TEST = datetime.datetime(2020, 12, 31, 23, tzinfo=UTC), datetime.date(2024, 1, 1)
CHANGES = {"spring": datetime.date(2024, 3, 31), "autumn": datetime.date(2024, 10, 27)}
PERSISTENCE = 0.9  # of the noise, from hour to hour


def shape(local):
    """By the clock on the wall and the weekday; noon of a workday is about 100."""
    hour = local.hour + local.minute / 60
    day = 60 + 30 / (1 + math.exp(-2 * (hour - 6.5))) - 25 / (1 + math.exp(-2 * (hour - 21))) + 12 * math.exp(-((hour - 18.5) / 1.5) ** 2)
    return day * (0.8 if local.weekday() > 4 else 1)


def series(minutes, seed):
    """Instants and loads."""
    draw, noise, rows = random.Random(seed), 0.0, []
    keep = PERSISTENCE ** (minutes / 60)
    now, end = START, datetime.datetime(2024, 12, 31, 23, tzinfo=UTC)
    while now < end:
        noise = keep * noise + draw.gauss(0, 2 * math.sqrt(1 - keep * keep))
        rows.append((now, shape(now.astimezone(ZONE)) + noise))
        now += datetime.timedelta(minutes=minutes)
    return rows


def clock(local):
    """What is known ahead: the hour on the wall, as waves of a day and half a day, and whether it is a workday."""
    turn = 2 * math.pi * (local.hour + local.minute / 60) / 24
    return [f"{wave(k * turn):.4f}" for k in (1, 2) for wave in (math.sin, math.cos)] + [str(int(local.weekday() < 5))]


def write(path, known, ahead):
    names = ["time", "load", *(["sin1", "cos1", "sin2", "cos2", "workday"] if ahead else [])]
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(names)
        for time, load in known:
            out.writerow([f"{time:%Y-%m-%dT%H:%M:%SZ}", f"{load:.4f}", *(clock(time.astimezone(ZONE)) if ahead else [])])
    return names[2:]


def instant_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def forecasts(words, known, minutes, tz, ahead):
    """Of each local day from the last row of the day before, by instant."""
    rows_a_day, data, run, out = 1440 // minutes, words.work / "load.csv", words.work / "run", words.work / "forecasts.csv"
    columns = write(data, known, ahead)
    most = rows_a_day + 60 // minutes
    read = ["--data", data, "--quiet", "--overwrite", *(["--tz", "Europe/Berlin"] if tz else [])]
    test = sum(time.astimezone(ZONE).date() >= TEST for time, _ in known)
    learn = ["--seq-len", 7 * rows_a_day, "--pred-len", most, "--d-model", 64, "--d-ff", 64, "--e-layers", 1, "--n-heads", 4, "--epochs", 3, "--learning-rate", 0.001, "--patience", 0,
             "--val", 60 * rows_a_day, "--test", test, "--no-plots", *(["--known", ",".join(columns)] if ahead else [])]
    ask = ["--step", 60 // minutes, "--horizon", most, "--output", out]
    for command in (["train", "--out", run, *learn], ["backtest", run, *ask]):
        subprocess.run([str(w) for w in (words.program, "forecast", *command, *read)], check=True, capture_output=True)
    found = {}
    with open(out, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            first = (instant_of(row["origin"]) + datetime.timedelta(minutes=minutes)).astimezone(ZONE)
            time = instant_of(row["time"])
            if row["series"] == "load" and (first.hour, first.minute) == (0, 0) and time.astimezone(ZONE).date() == first.date():
                found[time] = float(row["forecast"])
    return found


def part_of(day, change):
    apart = (day - change).days
    return "the day" if apart == 0 else "six days after" if 0 < apart <= 6 else "other days" if abs(apart) <= 17 else None


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("program")
    parse.add_argument("--series", type=int, default=5)
    parse.add_argument("--work", required=True, type=pathlib.Path)
    parse.add_argument("--minutes", type=int, nargs="+", default=[60, 15])
    words = parse.parse_args()
    words.work.mkdir(parents=True, exist_ok=True)
    print("| step | change | days | instants | --tz | clock known ahead | day before | week before | noise |\n|" + " --- |" * 9)
    for minutes in words.minutes:
        cells = {}
        for seed in range(words.series):
            known = series(minutes, f"{minutes} {seed}")
            value = dict(known)
            told = [forecasts(words, known, minutes, tz, ahead) for tz, ahead in ((False, False), (True, False), (True, True))]
            for change, day in CHANGES.items():
                for time, truth in known:
                    local = time.astimezone(ZONE)
                    part = part_of(local.date(), day)
                    if not part:
                        continue
                    guesses = (*(one[time] for one in told), value[time - datetime.timedelta(days=1)], value[time - datetime.timedelta(days=7)], shape(local))
                    for i, guess in enumerate(guesses):
                        cells.setdefault((change, part, i), []).append(abs(guess - truth))
        for change in CHANGES:
            for part in ("the day", "six days after", "other days"):
                print(f"| {minutes} min | {change} | {part} | " + " | ".join(f"{statistics.fmean(cells[change, part, i]):.2f}" for i in range(6)) + " |", flush=True)


if __name__ == "__main__":
    main()
