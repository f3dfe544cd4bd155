"""Series as a training run sees them: standardised columns, marks of the hour, windows in batches."""
import datetime

import numpy as np


def scaler(values, train_rows):
    """Mean and biased standard deviation of the columns in the first `train_rows` rows, in double."""
    train = values[:train_rows].astype(np.float64)
    return train.mean(axis=0), train.std(axis=0)


def standardised(values, train_rows):
    mean, std = scaler(values, train_rows)
    return ((values - mean) / std).astype(np.float32)


def marks_of(times):
    """HourOfDay, DayOfWeek, DayOfMonth and DayOfYear, each from -0.5 to 0.5."""
    shares = [[t.hour / 23, t.weekday() / 6, (t.day - 1) / 30, (t.timetuple().tm_yday - 1) / 365] for t in times]
    return (np.array(shares) - 0.5).astype(np.float32)


def hours_from(seconds, count):
    """`count` hours after each other, the first `seconds` after 1970 began, in the calendar of a wall clock."""
    first = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(seconds))
    return [first + datetime.timedelta(hours=i) for i in range(count)]


def windows(series, marks, sizes, first, count):
    """x, marks and y of `count` windows; the first begins in row `first`, each next one a row later."""
    start = first + np.arange(count)[:, None]
    look_back, ahead = start + np.arange(sizes.seq_len), start + sizes.seq_len + np.arange(sizes.pred_len)
    return series[look_back], marks[look_back] if sizes.marks else None, series[ahead]


def batches(series, marks, sizes, count):
    """Windows 0 to batch - 1, then batch to 2 batch - 1, and so on."""
    for first in range(0, count * sizes.batch, sizes.batch):
        yield windows(series, marks, sizes, first, sizes.batch)


def made_series(rng, rows, columns):
    """Days, weeks and slower waves, a trend and noise, each column in a unit of its own; on a grid of 1/256, which CSV,
    float32 and deflate all hold exactly and shortly."""
    hour = np.arange(rows)[:, None]
    values = rng.normal(size=(1, columns)) * 2 + hour * rng.normal(size=(1, columns)) / rows
    for period in (24, 12, 168, 71.3, 407):
        height, phase = rng.uniform(0.2, 1, columns), rng.uniform(0, 1, columns)
        values = values + height * np.sin(2 * np.pi * (hour / period + phase))
    values = (values + 0.25 * rng.normal(size=(rows, columns))) * 4.0 ** np.arange(columns)[None, ::-1] / 4
    return np.round(values * 256) / 256
