#!/usr/bin/env python3
"""Files shaped after public reports of forecasters: each is read rightly, or refused with an option that, followed, reads it rightly.
Every file is a wave whose values are known, so the rows kept in the run are compared with the truth, and not a forecast."""
import calendar
import datetime
import itertools
import json
import math
import re
import shlex
import struct

import program
from program import Case

TINY = ["--seq-len", "24", "--pred-len", "6", "--d-model", "8", "--d-ff", "8", "--e-layers", "1", "--n-heads", "1", "--epochs", "1",
        "--threads", "1", "--no-plots", "--quiet"]
START = datetime.datetime(2023, 1, 1)


def wave(i, k=0):
    return 10 + 5 * math.sin(2 * math.pi * i / 24 + k)


def hour(i):
    return (START + datetime.timedelta(hours=i)).strftime("%Y-%m-%d %H:%M:%S")


def day(i):
    return (START + datetime.timedelta(days=i)).strftime("%Y-%m-%d")


def month(i):
    return f"{2023 + i // 12}-{i % 12 + 1:02}-01"


def sales(i):
    return round(1050 + 150 * math.sin(2 * math.pi * i / 7))


def german(value, digits):
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def table(rows, head="date,a,b", row=lambda i: f"{hour(i)},{wave(i):.3f},{wave(i, 1):.3f}"):
    return "\n".join([head, *map(row, range(rows))]) + "\n"


def marked(text):
    """Four rows of b hold a mark, one of them in the last 24."""
    at = {100, 200, 300, 390}
    return table(400, row=lambda i: f"{hour(i)},{wave(i):.3f},{text if i in at else f'{wave(i, 1):.3f}'}")


def filled(i):
    """The mark has become a gap."""
    return [wave(i), math.nan if i == 390 else wave(i, 1)]


# name: text, what the refusal or else the warning says, the values of row i, rows. Options are those that the messages name,
# followed until none is named.
FILES = {
    "thousands": (table(300, "date,sales", lambda i: f'{day(i)},"{sales(i):,}"'), "1,050 is read as 1050", lambda i: [sales(i)], 300),
    "thousands, twice": (table(300, "date,x", lambda i: f'{day(i)},"{1000 * sales(i):,}"'), "groups of three", lambda i: [1000 * sales(i)], 300),
    "thousands, german": (table(300, "date;x;y", lambda i: f"{hour(i)};{german(1000 * wave(i), 1)};{german(wave(i), 3)}"), "groups of three",
                          lambda i: [round(1000 * wave(i), 1), wave(i)], 300),
    "thousands, apostrophe": (table(300, "date,x", lambda i: f"{hour(i)},{1000 * wave(i):,.1f}".replace(",", "'").replace("'", ",", 1)), "groups of three", lambda i: [round(1000 * wave(i), 1)], 300),
    "thousands or decimals": (table(300, "date;x", lambda i: f"{hour(i)};{round(500 * wave(i)):,}"), r"may be 5000 or 5, and",
                              lambda i: [round(500 * wave(i))], 300),
    "decimal commas": (table(300, "date;x", lambda i: f"{hour(i)};{wave(i):.2f}".replace(".", ",")), "--decimal ,",
                       lambda i: [round(wave(i), 2)], 300),
    "counted": (table(300, "ds,a,b", lambda i: f"{i},{wave(i):.3f},{wave(i, 1):.3f}"), r"'ds' counts the rows \(0, 1, ...\): left out", lambda i: [wave(i), wave(i, 1)], 300),
    "counted by tens": (table(300, "date,a,b", lambda i: f"{10 * i},{wave(i):.3f},{wave(i, 1):.3f}"), "if it only counts the rows, leave it out with --ignore 'date'",
                        lambda i: [wave(i), wave(i, 1)], 300),
    "-9999": (marked("-9999"), r"'b' holds -9999 in 4 rows.*1 of them in the last 24 rows", filled, 400),
    "-999": (marked("-999.0"), r"'b' holds -999 in 4 rows.*1 of them in the last 24 rows", filled, 400),
    "-200": (marked("-200"), r"'b' holds -200 in 4 rows", filled, 400),
    "1e20": (marked("1e20"), r"'b' holds 1e\+?20 in 4 rows", filled, 400),
    "too large, comma": (table(400, "date;a;b", lambda i: f"{hour(i)};{german(wave(i), 2)};{'1,5e31' if i in (100, 200, 300, 390) else german(wave(i, 1), 2)}"),
                         "--decimal ,", lambda i: [round(value, 2) for value in filled(i)], 400),
    "netcdf": (marked("9.96921e+36"), r"'9.96921e\+36' is too large to forecast with.*--na 9.96921e\+36", filled, 400),
    "question": (marked("?"), r"'\?' is not a finite number.*--na '\?'", filled, 400),
    "preamble": ("# Station 10384\n# made\nTime,Station\n\n" + table(400), "the names of the columns stand in line 5", lambda i: [wave(i), wave(i, 1)], 400),
    "preamble, places": ("NASA/POWER hourly\nLatitude,52.5\nLongitude,13.4\nDates: 01/01/2023 through\n-END HEADER-\n" + table(400), "stand in line 6",
                         lambda i: [wave(i), wave(i, 1)], 400),
    "unit": (table(400, "date,a", lambda i: f"{hour(i)},{wave(i):.3f} kW"), "'a' has 'kW' beside its numbers", lambda i: [wave(i)], 400),
    "percent": (table(400, "date,a", lambda i: f"{hour(i)},{wave(i):.3f}%"), "'5.000%' is read as 5.000|'10.000%' is read as 10.000", lambda i: [wave(i)], 400),
    "currency": (table(400, "date,a", lambda i: f'{hour(i)},"${1000 * wave(i):,.2f}"'), "'a' has '\\$' beside its numbers", lambda i: [round(1000 * wave(i), 2)], 400),
    "currency, euros": (table(400, "date;a", lambda i: f"{hour(i)};{german(1000 * wave(i), 2).replace('.', ' ')} €"), "'a' has '€' beside its numbers",
                        lambda i: [round(1000 * wave(i), 2)], 400),
    "accounts": (table(400, "date,a", lambda i: f"{hour(i)},{wave(i):.3f}" if i % 9 else f"{hour(i)},({wave(i):.3f})"), "'a' has negative numbers in brackets: '\\(",
                 lambda i: [wave(i) if i % 9 else -wave(i)], 400),
    "comments": ("# Station 10384\n#\n# made, by us\n" + table(400), "does not beat", lambda i: [wave(i), wave(i, 1)], 400),
    "names in a comment": (table(400, "# date,a,b"), "does not beat", lambda i: [wave(i), wave(i, 1)], 400),
    "units": (table(1, "date,a,b", lambda i: "yyyy-mm-dd,(degC),%") + table(400).split("\n", 1)[1], r"line 2 holds units \(.*degC.*%\)", lambda i: [wave(i), wave(i, 1)], 400),
    "units, words": (table(1, "date,a,b", lambda i: ",kW,-") + table(400).split("\n", 1)[1], "line 2 holds units", lambda i: [wave(i), wave(i, 1)], 400),
    "preamble and units": ("Logger 7\nSite;North;3;2023\n\ndate;a;b\n;[kW];[m/s]\n" + table(400).split("\n", 1)[1].replace(",", ";"),
                           "stand in line 4(.*\n)*.*line 5 holds units", lambda i: [wave(i), wave(i, 1)], 400),
    "text": (table(400, "date,a,b,remark", lambda i: f"{hour(i)},{wave(i):.3f},{wave(i, 1):.3f},ok"), "the column holds text",
             lambda i: [wave(i), wave(i, 1)], 400),
    "counter": (table(400, "No,date,a,b", lambda i: f"{i + 1},{hour(i)},{wave(i):.3f},{wave(i, 1):.3f}"), "'No' only repeats what the time stamps say",
                lambda i: [wave(i), wave(i, 1)], 400),
    "unnamed counter": (table(400, "Unnamed: 0,date,a,b", lambda i: f"{7 * i},{hour(i)},{wave(i):.3f},{wave(i, 1):.3f}"), "'Unnamed: 0' only repeats",
                        lambda i: [wave(i), wave(i, 1)], 400),
    "thousands, blanks": (table(300, "date;x", lambda i: f"{hour(i)};{german(1000 * wave(i), 2).replace('.', ' ')}"), "groups of three",
                          lambda i: [round(1000 * wave(i), 2)], 300),
    "thousands, typeset": (table(300, "date;x", lambda i: f"{hour(i)};{german(1000 * wave(i) - 10000, 2).replace('.', chr(0xa0)).replace('-', chr(0x2212))}"),
                           "groups of three", lambda i: [round(1000 * wave(i) - 10000, 2)], 300),
    "decimal years": (table(300, "Year,temp", lambda i: f"{1850 + i / 12:.3f},{wave(i):.3f}"), "'Year' is a part of a date", lambda i: [wave(i)], 300),
    "time again": (table(400, "date,key,unixtime,mjd,week_number,quarter,a", lambda i: f"{hour(i + 5 * (i > 200))},{hour(i + 5 * (i > 200))[:13].translate(str.maketrans('', '', '- '))},"
                         f"{1672531200 + 3600 * (i + 5 * (i > 200))},{59945 + (i + 5 * (i > 200)) / 24:.5f},{i // 168 + 1},4,{wave(i):.3f}"),
                   "'key' only repeats.*\n.*'unixtime' only repeats.*\n.*'mjd' only repeats.*\n.*'week_number'.*\n.*'quarter' is a part", lambda i: [wave(i)], 400),
    "two marks": (table(400, row=lambda i: f"{hour(i)},{wave(i):.3f},{-9999 if i == 100 else -8888 if i == 200 else f'{wave(i, 1):.3f}'}"),
                  "'b' holds -9999 in 1 row.*(.*\n)*.*'b' holds -8888 in 1 row", lambda i: [wave(i), wave(i, 1)], 400),
    "empty end": (table(400) + ",,\n,,\n", "the last 2 rows of the file, from line 402 on, hold nothing: left out", lambda i: [wave(i), wave(i, 1)], 400),
    "air quality": (table(400, "Date;Time;CO(GT);T;;", lambda i: f"{hour(i)[8:10]}/{hour(i)[5:7]}/2023;{hour(i)[11:].replace(':', '.')};"
                          f"{german(wave(i), 1)};{german(wave(i, 1), 1)};;") + ";;;;;\n" * 3,
                    "for decimal commas give --decimal ,", lambda i: [round(wave(i), 1), round(wave(i, 1), 1)], 400),
    "year and quarter": (table(120, "Year,Quarter,beer", lambda i: f"{1956 + i // 4},{i % 4 + 1},{wave(i):.3f}"),
                         "'Year' is a part of a date.*\n.*'Quarter' is a part of a date", lambda i: [wave(i)], 120),
    "year and day": (table(400, "YEAR,DOY,T2M", lambda i: f"{2000 + i // 365},{i % 365 + 1},{wave(i):.3f}"), "'DOY' is a part of a date", lambda i: [wave(i)], 400),
    "week": (table(200, "week,sales", lambda i: f"{i % 52 + 1},{wave(i):.3f}"), "'week' is a part of a date", lambda i: [wave(i)], 200),
    "serial days": (table(200, "t,a", lambda i: f"{44927 + i / 24:.6f},{wave(i):.3f}"), "'t' counts the rows", lambda i: [wave(i)], 200),
    "seconds": (table(200, "seconds,a", lambda i: f"{i * 0.5 + 0.001 * (i % 3):.3f},{wave(i):.3f}"), "'seconds' counts the rows", lambda i: [wave(i)], 200),
}

# What is refused whatever is given: name, bytes, what is said.
REFUSED = {
    "two tables": ((table(30, "date,a", lambda i: f"{hour(i)},{i % 7}") + table(300)).encode(), "later line: --skip-rows 31 leaves out"),
    "excel": (b"PK\x03\x04" + bytes(600), "Excel"), "parquet": (b"PAR1" + bytes(600), "Parquet"), "xz": (b"\xfd7zXZ\0" + bytes(600), "xz"),
    "units that mix": (table(400, "date,a", lambda i: f"{hour(i)},{wave(i):.3f} {'g' if i == 77 else 'kg'}").encode(), "a column has one unit"),
    "limit": (table(400, "date,a", lambda i: f"{hour(i)},{wave(i):.3f}" if i % 9 else f"{hour(i)},<0.5").encode(), "finite number; correct it"),
    "spike": (table(400, "date,a", lambda i: f"{hour(i)},{'1e300' if i == 390 else wave(i)}").encode(), "'1e300' is too large"),
    "underflow": (table(400, "date,a", lambda i: f"{hour(i)},{wave(i):.3f}e-308").encode(), "too small to tell apart"),
    "straight line": (table(400, "date,a", lambda i: f"{hour(i)},{i}").encode(), "'a' only counts the rows or repeats their stamps; --target 'a'"),
}

def stamped(form, rows=264, values=lambda i: f"{wave(i):.3f},{wave(i, 1):.3f}", head="date,a,b", step=hour, separator=","):
    """A row for each of `rows` hours (or days), its stamp written as `form` says, which may depend on the row."""
    write = form if callable(form) else lambda t: t.strftime(form)
    when = lambda i: datetime.datetime.fromisoformat(step(i))
    return "\n".join([head.replace(",", separator), *(write(when(i)) + separator + values(i) for i in range(rows))]) + "\n"


def without(text, rows, cells=None):
    """The text without these rows, or with no values in them."""
    lines = text.splitlines()
    kept = [line if i - 1 not in rows else line.split(",")[0] + "," * (cells or 0) for i, line in enumerate(lines) if cells or i - 1 not in rows]
    return "\n".join(kept) + "\n"


def scrambled(text):
    head, *rows = text.splitlines()
    return "\n".join([head, *rows[len(rows) // 2:], *rows[:len(rows) // 2]]) + "\n"


def newest_first(text):
    head, *rows = text.splitlines()
    return "\n".join([head, *rows[::-1]]) + "\n"


def offset(t):
    """Clocks go back by an hour in the middle: wall clock and offset of the instant."""
    late = t >= datetime.datetime(2023, 1, 6)
    return (t + datetime.timedelta(hours=1 if late else 2)).strftime("%Y-%m-%d %H:%M:%S") + ("+01:00" if late else "+02:00")


def trading(t):
    """The hour t since the start as one of seven a day on five days a week, from a Monday on."""
    i = int((t - START).total_seconds()) // 3600
    days = i // 7
    return START + datetime.timedelta(days=1 + days // 5 * 7 + days % 5, hours=10 + i % 7)


def business_end(t):
    last = t.replace(day=calendar.monthrange(t.year, t.month)[1])
    return last - datetime.timedelta(days=max(0, last.weekday() - 4))


MISSING = {i for i in range(10, 230) if i % 13 == 5}
PLAIN = stamped("%Y-%m-%d %H:%M:%S")
TWICE = PLAIN.replace(f"{hour(50)},", f"{hour(50)},1,1\n{hour(50)},", 1)
NEXT = "2023-01-12 00:00:00"
# Three rows an hour, whose mean is the wave's value.
ANY_TIME = "date,a,b\n" + "".join(f"{hour(i)[:14]}{minute:02}:{i % 60:02},{wave(i) + extra:.3f},{wave(i, 1) - extra:.3f}\n" for i in range(264)
                                  for minute, extra in ((1 + i % 9, 0.5), (19 + i % 7, -0.75), (40 + i % 11, 0.25)))

# Hints about the time columns: name: what is written, what is said of it (refusal or warning), then the file as the hint wants it (None:
# as it is) and the options that it names, and the first cells of the forecast. The values are a wave and another in all.
STAMPS = {
    "day or month": (stamped("%d/%m/%Y %H:%M"), "--date-order dmy or --date-order mdy", None, ["--date-order", "dmy"], "12/01/2023 00:00"),
    "month or day": (stamped("%m/%d/%Y %H:%M"), "--date-order dmy or --date-order mdy", None, ["--date-order", "mdy"], "01/12/2023 00:00"),
    "newest first": (newest_first(PLAIN), "newest row comes first; --sort", None, ["--sort"], NEXT),
    "blocks": (scrambled(PLAIN), "runs backwards 1 time.*--sort", None, ["--sort"], NEXT),
    "rows left out, strict": (without(PLAIN, MISSING), "17 missing.*; put the missing rows back with empty cells", without(PLAIN, MISSING, 2), ["--strict-dates", "--missing", "linear"], NEXT),
    "twice": (TWICE, "stands more than once, with other values of 'a'.*--aggregate first, last or mean", None, ["--aggregate", "last"], NEXT),
    "twice the same": (PLAIN.replace(f"{hour(50)},", f"{hour(50)},{wave(50):.3f},{wave(50, 1):.3f}\n{hour(50)},", 1), "1 row repeats what stands before it", None, [], NEXT),
    "at any time": (ANY_TIME, "--aggregate mean with --freq", None, ["--aggregate", "mean", "--freq", "h"], NEXT),
    "offsets": (stamped(offset), "the offset of the stamps changes, first at line 122, '2023-01-06 01:00:00\\+01:00'", None, [], "2023-01-12 01:00:00+01:00"),
    "offsets here and there": (PLAIN.replace(hour(100), hour(100) + "+01:00"), "'2023-01-05 04:00:00\\+01:00' has an offset, and the rows before have none: .* --tz Europe/Berlin",
                               None, ["--tz", "Europe/Berlin"], NEXT),
    "two columns": (stamped("%Y-%m-%d %H:%M:%S,2024-01-01", head="start,made,a,b"), "both hold time stamps; choose one with --time-column", None,
                    ["--time-column", "start", "--ignore", "made"], NEXT + ","),
    "date and clock": (stamped("%d.%m.%Y;%H:%M", head="Tag,Uhrzeit,a,b", separator=";", values=lambda i: f"{wave(i):.3f};{wave(i, 1):.3f}"), "--date-order dmy", None,
                       ["--date-order", "dmy"], "12.01.2023,00:00,"),
    "date and hour": (stamped(lambda t: f"{t:%Y-%m-%d},{t.hour}", head="date,hour,a,b"), "", None, [], "2023-01-12,0,"),
    "date and hour, named": (stamped(lambda t: f"{t:%Y%m%d},{t.hour:02}", head="DATE,HH,a,b"), "", None, ["--time-column", "DATE,HH"], "20230112,00,"),
    "year to hour": (stamped(lambda t: f"{t.year},{t.month},{t.day},{t.hour}", head="year,month,day,hour,a,b"), "", None, [], "2023,1,12,0,"),
    "hours to 24": (stamped(lambda t: f"{t:%Y-%m-%d},{t.hour + 1}", head="date,hour,a,b"), "'hour' goes on where 'date' leaves off", PLAIN, [], NEXT),
    "digits": (stamped("%Y%m%d%H"), "'2023010100' and those after it are dates in digits alone: write them as 2023-01-01 00:00",
               stamped("%Y-%m-%d %H:%M"), [], "2023-01-12 00:00"),
    "digits, other name": (stamped("%Y%m%d%H%M", head="when,a,b"), "write them as 2023-01-01 00:00;", stamped("%Y-%m-%d %H:%M"), [], "2023-01-12 00:00"),
    "month names": (stamped("%d-%b-%y %H:%M", head="when,a,b"), "years of two digits are those from 1930 to 2029: '01-Jan-23 00:00' is read as 2023-01-01",
                    None, [], "12-Jan-23 00:00,"),
    "names of months": (stamped("%b %Y", step=month, head="Month,a,b"), "", None, [], "Jan 2045,"),
    "names, commas": (stamped(lambda t: f'"{t:%B} {t.day}, {t.year}"', step=day), "", None, [], '"September 22, 2023",'),
    "quarters": (stamped(lambda t: f"{t.year}Q{t.month // 3 + 1}", step=lambda i: month(3 * i), head="Quarter,a,b"), "", None, [], "2089Q1,"),
    "quarters, named": (stamped(lambda t: f"Q{t.month // 3 + 1} {t.year}", step=lambda i: month(3 * i)), "", None, ["--freq", "QE-DEC"], "Q1 2089,"),
    "ISO weeks": (stamped("%G-W%V", step=lambda i: day(7 * i + 1)), "", None, [], "2028-W04,"),
    "another word": (stamped("%Y-%m-%d", step=lambda i: day(7 * i + 1)), "", None, ["--freq", "W-MON"], "2028-01-24,"),
    "trading hours": (stamped(lambda t: trading(t).strftime("%Y-%m-%d %H:%M"), rows=900), "the rows keep to h, Mon-Fri 10:00-16:00",
                      None, [], "2023-06-29 14:00,"),
    "trading hours, followed": (stamped(lambda t: trading(t).strftime("%Y-%m-%d %H:%M"), rows=900), "--freq h takes all hours", None,
                                ["--freq", "h, Mon-Fri 10:00-16:00"], "2023-06-29 14:00,"),
    "no Sundays": (stamped(lambda t: (t + datetime.timedelta(days=(t - START).days // 6 + 1)).strftime("%d.%m.%Y"), step=day), "keep to d, Mon-Sat", None, [],
                   "06.11.2023,"),
    "business months": (stamped(lambda t: business_end(t).strftime("%Y-%m-%d"), step=month), "", None, ["--freq", "BME"], "2045-01-31,"),
    "one bad stamp": (PLAIN.replace("date,", "when,").replace(hour(100), "n/d"), ":102: 'n/d' is no time stamp", PLAIN, [], NEXT),
    "one bad stamp, day first": (stamped("%d/%m/%Y %H:%M", rows=400).replace("05/01/2023 04:00", "?"), ":102: '\\?' is no time stamp",
                                 stamped("%d/%m/%Y %H:%M", rows=400), [], "17/01/2023 16:00"),
    "another form": (PLAIN.replace(hour(200), "09/01/2023 08:00"), ":202: '09/01/2023 08:00' is no time stamp like those", PLAIN, [], NEXT),
    "clock alone": (stamped("%H:%M", head="clock,a,b"), "no other column their dates; put both into one", PLAIN, [], NEXT),
    "from and to": (stamped(lambda t: f"{t:%d.%m.%Y;%H:%M};{t + datetime.timedelta(hours=1):%H:%M}", head="Date,Von,Bis,a,b", separator=";", rows=400,
                            values=lambda i: f"{wave(i):.3f};{wave(i, 1):.3f}"), "the dates of 'Date' repeat: --time-column 'Date,Von' joins them",
                    None, ["--time-column", "Date,Von", "--ignore", "Bis"], "17.01.2023,16:00,"),
    "newest first, digits": (newest_first(stamped("%Y%m%d", step=day, head="dt,a,b")), "newest row comes first; --sort", None, ["--sort"], "20230922,"),
    "epochs in blocks": (scrambled(stamped(lambda t: str(int(t.replace(tzinfo=datetime.timezone.utc).timestamp())), head="ts,a,b")), "runs backwards.*--sort",
                         None, ["--sort"], "1673481600,"),
    "digits of a float": (stamped("%Y%m%d.0", step=day, head="dt,a,b"), "write them as 2023-01-01;", stamped("%Y-%m-%d", step=day, head="dt,a,b"), [], "2023-09-22,"),
    "long, digits": ("id,dt,a,b\n" + "".join(f"{k},{day(i).replace('-', '')},1,2\n" for k in range(4) for i in range(60)), "several columns may hold the values.*--value 'a'", PLAIN, [], NEXT),
    "days, asked for hours": (stamped("%Y-%m-%d", step=day), "", None, ["--freq", "h"], "2023-09-21 01:00,"),
    "months, asked for days": (stamped("%Y-%m", step=month), "", None, ["--freq", "d"], "2044-12-02,"),
    "the 30th": (stamped(lambda t: f"{t:%Y-%m}-{min(30, calendar.monthrange(t.year, t.month)[1])}", step=month, rows=266), "", None, [], "2045-03-30,"),
    "sunrise": (stamped(lambda t: f"{t:%Y-%m-%d},06:{t.day}", step=day, head="date,sunrise,a,b"), "--ignore 'sunrise'", None, ["--ignore", "sunrise"], "2023-09-22"),
}

ADVICE = re.compile(r"--(decimal|thousands|na|missing|skip-rows|ignore|target) '?([^\s;']+)'?")


def tail(run):
    """The rows that the run keeps, in the columns' order, and their names."""
    raw = (run / "model.safetensors").read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + size])
    names = json.loads(header["__metadata__"]["tidemill.forecast"])["columns"]
    begin, end = header["tail.values"]["data_offsets"]
    values = struct.unpack(f"<{(end - begin) // 8}d", raw[8 + size + begin:8 + size + end])
    return names, [list(values[i:i + len(names)]) for i in range(0, len(values), len(names))]


class Reported(Case):
    def write(self, text, name="series.csv"):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def train(self, data, options):
        return program.run("forecast", "train", "--data", data, "--out", self.folder / "run", "--overwrite", *TINY, *options)

    def follow(self, data, options=()):
        """Trains; takes the option of each refusal, and of each warning of marks, until nothing is advised. All that was said."""
        said, options = [], list(options)
        for _ in range(5):
            done = self.train(data, options)
            said.append(done.stderr)
            noted = [line for line in done.stderr.splitlines() if done.returncode or "takes it as one" in line]
            found = ADVICE.search("\n".join(noted))
            if not found:
                break
            options += [f"--{found[1]}", found[2]]
        self.assertEqual(done.returncode, 0, f"{options}\n{''.join(said)}")
        return said, options

    def expect_tail(self, truth, rows):
        names, values = tail(self.folder / "run")
        for i, row in enumerate(values):
            expected = truth(rows - 24 + i)
            self.assertEqual(len(row), len(expected), names)
            for got, want in zip(row, expected):
                if math.isnan(want):
                    self.assertTrue(math.isnan(got), f"row {i}")
                else:
                    self.assertAlmostEqual(got, want, delta=1e-3, msg=f"row {i}")

    def test_files(self):
        for name, (text, message, truth, rows) in FILES.items():
            with self.subTest(name):
                data = self.write(text)
                said, options = self.follow(data)
                self.assertRegex(said[0], message)
                self.expect_tail(truth, rows)
                again = self.code(0, "forecast", "predict", self.folder / "run", "--data", data, "--no-plots").stdout
                kept = self.code(0, "forecast", "predict", self.folder / "run", "--no-plots").stdout
                self.assertEqual(again, kept, f"the run forgets {options}")
                self.code(0, "forecast", "evaluate", "--model", self.folder / "run", "--data", data)

    def test_stamps(self):
        for name, (text, message, better, options, first) in STAMPS.items():
            with self.subTest(name):
                strict = ["--strict-dates"] if "--strict-dates" in options else []
                self.assertRegex(self.train(self.write(text), strict).stderr, message or "does not beat|^$")
                data = self.write(better or text)
                done = self.train(data, options)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotRegex(done.stderr, "repeated|of the rows are left out|runs backwards")
                rows = len({line[:13] for line in data.read_text().splitlines()}) - 1 if "--aggregate" in options or name == "twice the same" \
                    else len(data.read_text().splitlines()) - 1
                self.expect_tail(lambda i: [wave(i), wave(i, 1)], rows)
                again = self.code(0, "forecast", "predict", self.folder / "run", "--data", data, "--no-plots").stdout
                self.assertEqual(again, self.code(0, "forecast", "predict", self.folder / "run", "--no-plots").stdout)
                self.assertTrue(again.splitlines()[1].startswith(first), again)

    def test_rows_left_out(self):
        """Left out or empty is the same: the rows are put back on the axis, and the same is learned from them."""
        models = []
        for cells in (None, 2):
            data = self.write(without(PLAIN, MISSING | {259}, cells))
            said = self.code(0, "forecast", "train", "--data", data, "--out", self.folder / "run", "--overwrite", *TINY).stderr
            self.assertEqual("18 rows are left out (the step is h), at most 1 at once, first before line 20: put back" in said, cells is None, said)
            self.assertIn("missing: 36 cells, 6.8 %, most of them in 'a', 18, at most 1 in a row (2 columns have gaps)", said)
            self.expect_tail(lambda i: [math.nan, math.nan] if i == 259 else [wave(i), wave(i, 1)], 264)
            models.append((self.folder / "run" / "model.safetensors").read_bytes())
            done = self.code(0, "forecast", "predict", self.folder / "run", "--no-plots")
            self.assertIn("of the 24 rows that the forecast starts from 2 cells are missing: the model is told which", done.stderr)
            self.assertTrue(done.stdout.splitlines()[1].startswith(NEXT))
            again = self.code(0, "forecast", "predict", self.folder / "run", "--data", data, "--no-plots").stdout
            self.assertEqual(again, done.stdout)
            for use in ("last-value", "seasonal-naive", "linear"):
                first = self.code(0, "forecast", "predict", self.folder / "run", "--use", use, "--no-plots").stdout.splitlines()[1].split(",")
                self.assertAlmostEqual(float(first[1]), wave(263 if use == "last-value" else 264), delta=0.2, msg=use)
            self.code(0, "forecast", "evaluate", "--model", self.folder / "run", "--data", data)
        self.assertEqual(*models)

    def test_words_for_a_shell(self):
        """What a message prints after an option is what a shell must be given."""
        for name in ("remark, free", "driver's note", "a b", 'say "no"'):
            with self.subTest(name):
                quoted = '"' + name.replace('"', '""') + '"'
                data = self.write(table(100, f"date,a,{quoted}", lambda i: f"{hour(i)},{wave(i):.3f},ok"))
                said = self.train(data, []).stderr
                self.assertEqual(self.train(data, shlex.split(said[said.index("--ignore"):])).returncode, 0, said)
                self.expect_tail(lambda i: [wave(i)], 100)

    def test_sizes_that_fit(self):
        """The lengths and parts that a refusal offers can be trained with, whatever was asked for."""
        asked = [*itertools.product((4, 30, 43), ((1, 1), (24, 6), (12, 24)), ([], ["--val", "0.05"], ["--val", "5", "--test", "200"])),
                 (60, (24, 12), ["--test", "3"]), (100, (24, 12), ["--val", "60", "--test", "50"])]
        offers = 0
        for rows, (look_back, ahead), parts in asked:
            options = ["--seq-len", str(look_back), "--pred-len", str(ahead), *parts]
            data = self.write(table(rows))
            done = self.train(data, options)
            if done.returncode == 0:
                continue
            with self.subTest(rows=rows, options=options):
                offered = done.stderr.split("; ")[-1].replace(" would do", "").split()
                self.assertEqual(self.train(data, [*options, *offered]).returncode, 0, done.stderr)
                offers += 1
        self.assertGreater(offers, 20)

    def test_end_of_training(self):
        """What the last lines of a training name: a baseline that forecasts better, and more epochs, both as they are printed."""
        data = self.write(table(300))
        done = program.run("forecast", "train", "--data", data, "--out", self.folder / "it's a run", *[o for o in TINY if o != "--quiet"])
        said = (done.stdout + done.stderr).splitlines()
        use = next(line for line in said if "--use" in line)
        words = shlex.split(use[use.index("tidemill forecast predict"):])
        shown = self.code(0, *words[1:], "--no-plots").stdout.splitlines()[1:]
        for i, line in enumerate(shown):
            self.assertAlmostEqual(float(line.split(",")[1]), wave(300 + i), delta=2e-3)
        longer = next(line for line in said if "the best epoch is the last" in line)
        options = shlex.split(longer[longer.index("--epochs"):longer.index(" goes further")])
        again = self.train(data, options)
        self.assertEqual(again.returncode, 0, again.stderr)
        note = self.code(0, "forecast", "predict", self.folder / "run", "--no-plots").stderr
        self.assertIn("--use ", note)
        best = note[note.index("--use "):].split()[:2]
        self.assertEqual(self.code(0, "forecast", "predict", self.folder / "run", "--no-plots", *best).stdout,
                         self.code(0, "forecast", "predict", self.folder / "run", "--no-plots", "--use", "best").stdout)

    def test_refused(self):
        for name, (text, message) in REFUSED.items():
            with self.subTest(name):
                done = self.train(self.write(text), [])
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn(message, done.stderr)
                self.assertNotIn("--decimal", done.stderr)

    def test_both_readings(self):
        """Where nothing tells thousands from decimals, each option reads what it says."""
        data = self.write(table(300, "date;x", lambda i: f"{hour(i)};{round(500 * wave(i)):,}"))
        for option, unit in (("--thousands", 1), ("--decimal", 1000)):
            self.assertEqual(self.train(data, [option, ","]).returncode, 0)
            self.expect_tail(lambda i: [round(500 * wave(i)) / unit], 300)

    def test_values_that_are_no_marks(self):
        """-200 among -500 to 500, nights without sun, rare rain, a switch: nothing is said of them."""
        values = {"price": lambda i: -200 if i == 77 else 50 * wave(i) - 500, "sun": lambda i: max(0, wave(i) - 10),
                  "rain": lambda i: 35 if i % 100 == 99 else 0.2 * (i % 3), "switch": lambda i: i % 50 == 0, "level": lambda i: 1000 + i % 7 if i % 3 else 0}
        for name, value in values.items():
            with self.subTest(name):
                done = self.train(self.write(table(400, "date,a", lambda i: f"{hour(i)},{value(i):.2f}")), [])
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotIn("--na", done.stderr)

    def test_series_that_are_no_counters(self):
        """Columns named 0, 1, ... are series, and so is a counter that is asked for."""
        data = self.write(table(400, "date,0,1,id", lambda i: f"{hour(i)},{wave(i):.3f},{wave(i, 1):.3f},{i}"))
        self.assertEqual(self.train(data, []).returncode, 0)
        self.assertEqual(tail(self.folder / "run")[0], ["0", "1"])
        self.assertEqual(self.train(data, ["--columns", "0,id"]).returncode, 0)
        self.assertEqual(tail(self.folder / "run")[0], ["0", "id"])
        self.assertEqual(self.train(data, ["--target", "id"]).returncode, 0)
        self.assertEqual(tail(self.folder / "run")[0], ["0", "1", "id"])

    def test_damaged_reading(self):
        """What a model file says of reading is checked like the rest of it."""
        self.assertEqual(self.train(self.write(table(400)), []).returncode, 0)
        path = self.folder / "run" / "model.safetensors"
        raw = path.read_bytes()
        size = int.from_bytes(raw[:8], "little")
        for reading in ({"missing": "sometimes"}, {"skip-rows": "-1"}, {"out": "/tmp"}, {"na": 5}, ["na"], "na", {"decimal": "." * 600}):
            header = json.loads(raw[8:8 + size])
            metadata = json.loads(header["__metadata__"]["tidemill.forecast"])
            header["__metadata__"]["tidemill.forecast"] = json.dumps({**metadata, "reading": reading})
            text = json.dumps(header).encode()
            text += b" " * (-len(text) % 8)
            path.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + size:])
            self.assertIn("damaged", self.error(3, "forecast", "predict", self.folder / "run", "--no-plots")["message"], reading)

    def test_mark_met_at_predict(self):
        self.assertEqual(self.train(self.write(table(400)), []).returncode, 0)
        done = self.code(0, "forecast", "predict", self.folder / "run", "--data", self.write(marked("-9999")), "--no-plots")
        self.assertRegex(done.stderr, "'b' holds -9999 in 4 rows.*1 of them in the last 24 rows")
        marks = ["--na", "-9999", "--missing", "linear"]
        done = self.code(0, "forecast", "predict", self.folder / "run", "--data", self.folder / "series.csv", "--no-plots", *marks)
        for line in done.stdout.splitlines()[1:]:
            self.assertTrue(-20 < float(line.split(",")[2]) < 40, line)

    def test_mark_kept_in_the_run(self):
        self.assertEqual(self.train(self.write(marked("-9999")), []).returncode, 0)
        self.assertIn("'b' holds -9999 in 1 row", self.code(0, "forecast", "predict", self.folder / "run", "--no-plots").stderr)

    def test_spike_met_at_predict(self):
        self.assertEqual(self.train(self.write(table(400)), []).returncode, 0)
        spike = self.write(table(400, row=lambda i: f"{hour(i)},{wave(i):.3f},{'1e300' if i == 390 else 1}"))
        error = self.error(3, "forecast", "predict", self.folder / "run", "--data", spike, "--no-plots")
        self.assertEqual((error["row"], error["column"]), (392, "b"))

    def test_ragged_end(self):
        data = self.write(table(400, row=lambda i: f"{hour(i)},{wave(i):.3f},{'' if i < 3 or i >= 376 else f'{wave(i, 1):.3f}'}"))
        for filling in ("ffill", "linear"):
            done = self.train(data, ["--missing", filling])
            self.assertIn("the last 24 rows of 'b' are filled: the forecast starts from made-up values; end the file before line 378", done.stderr)
            self.assertIn("the first 3 rows of 'b': filled with the first value after them", done.stderr)
        self.assertEqual(self.train(self.write("\n".join(data.read_text().splitlines()[:377]) + "\n"), ["--missing", "ffill"]).returncode, 0)
        self.expect_tail(lambda i: [wave(i), wave(i, 1)], 376)

    def test_many_long_names(self):
        """More than 4,095 bytes of names: the run's columns are read, and no other."""
        names = [f"plant_{k:03}_active_power" for k in range(220)]
        cells = lambda i: ",".join(f"{wave(i, k):.2f}" for k in range(220))
        self.assertEqual(self.train(self.write(table(80, ",".join(["date", *names]), lambda i: f"{hour(i)},{cells(i)}")), []).returncode, 0)
        kept = self.code(0, "forecast", "predict", self.folder / "run", "--no-plots").stdout
        more = self.write(table(80, ",".join(["remark", "date", *names]), lambda i: f"ok,{hour(i)},{cells(i)}"))
        self.assertEqual(self.code(0, "forecast", "predict", self.folder / "run", "--data", more, "--no-plots").stdout, kept)


if __name__ == "__main__":
    program.main("reported")
