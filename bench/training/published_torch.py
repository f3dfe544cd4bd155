#!/usr/bin/env python3
"""The published recipe in PyTorch, on the windows of the published split: where a preset misses the paper's number, what the same
recipe gives elsewhere. Adam, the rate halved each epoch from the third on, batches of 32 windows in a random order, dropout 0.1, the epoch of the least
validation error, which three worse ones end.

    python bench/training/published_torch.py DATA.csv --preset ettm1-96 [--seeds 2023,2024] [--threads 2]

DATA.csv is a set as published, or gzipped. Prints a line for each seed: test MSE and MAE over all windows, of the scaled series."""
import argparse
import csv
import gzip
import math
import pathlib
import sys
from datetime import datetime

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"))
import itransformer  # noqa: E402

MONTH = {"etth2": 30 * 24, "ettm1": 30 * 24 * 4}  # rows; 12 months of training, 4 of validation, 4 of test
WIDTH, INNER, LAYERS, HEADS, RATE, EPOCHS, PATIENCE, DROPOUT, BATCH = 128, 128, 2, 8, 1e-4, 10, 3, 0.1, 32


class Attention(itransformer.Attention):
    def forward(self, h):
        q, k, v = (self.heads(p(h)) for p in (self.query_projection, self.key_projection, self.value_projection))
        weights = nn.functional.dropout(torch.softmax(q @ k.mT / math.sqrt(self.size), dim=-1), DROPOUT, self.training)
        return self.out_projection((weights @ v).transpose(1, 2).flatten(2)), weights


class Block(itransformer.Block):
    def __init__(self, s):
        super().__init__(s)
        self.attention, self.dropout = Attention(s), nn.Dropout(DROPOUT)

    def forward(self, h):
        attended, weights = self.attention(h)
        u = self.norm1(h + self.dropout(attended))
        inner = self.dropout(self.activation(self.conv1(u.mT)))
        return self.norm2(u + self.dropout(self.conv2(inner).mT)), weights


def model_of(s):
    model = itransformer.ITransformer(s)
    model.encoder.attn_layers = nn.ModuleList(Block(s) for _ in range(s.e_layers))
    model.enc_embedding = nn.Sequential(model.enc_embedding)
    embed, drop = model.enc_embedding[0], nn.Dropout(DROPOUT)
    model.enc_embedding.forward = lambda x, marks: drop(embed(x, marks)) if model.training else embed(x, marks)
    return model


def marks_of(stamp, minutes):
    """Hour of day, day of week, of month and of year, and for steps below an hour the minute, each within half a unit of 0."""
    t = datetime.fromisoformat(stamp)
    marks = [t.hour / 23 - .5, t.weekday() / 6 - .5, (t.day - 1) / 30 - .5, (t.timetuple().tm_yday - 1) / 365 - .5]
    return ([t.minute / 59 - .5] if minutes else []) + marks


def read(path, name):
    month = MONTH[name]
    with (gzip.open(path, "rt") if path.suffix == ".gz" else open(path)) as file:
        rows = list(csv.reader(file))[1:][:20 * month]
    x = torch.tensor([[float(v) for v in row[1:]] for row in rows])
    x = (x - x[:12 * month].mean(0)) / x[:12 * month].std(0, correction=0)
    return x, torch.tensor([marks_of(row[0], name == "ettm1") for row in rows])


def batches(starts, x, marks, s):
    span = torch.arange(s.seq_len + s.pred_len)
    for at in starts.split(s.batch):
        rows = at[:, None] + span
        yield x[rows[:, :s.seq_len]], marks[rows[:, :s.seq_len]], x[rows[:, s.seq_len:]]


@torch.no_grad()
def errors(model, starts, x, marks, s):
    model.eval()
    squares = absolutes = 0.0
    for past, said, truth in batches(starts, x, marks, s):
        d = model(past, said)[0] - truth
        squares, absolutes = squares + d.square().sum().item(), absolutes + d.abs().sum().item()
    count = len(starts) * s.pred_len * s.columns
    return squares / count, absolutes / count


def train(x, marks, month, s, seed):
    torch.manual_seed(seed)
    model, reach = model_of(s), s.seq_len + s.pred_len
    windows = [torch.arange(first, last - reach + 1) for first, last in
               ((0, 12 * month), (12 * month - s.seq_len, 16 * month), (16 * month - s.seq_len, 20 * month))]
    adam = torch.optim.Adam(model.parameters(), RATE)
    best, kept, worse = math.inf, None, 0
    for epoch in range(EPOCHS):
        model.train()
        order = windows[0][torch.randperm(len(windows[0]))]
        for past, said, truth in batches(order[:len(order) // s.batch * s.batch], x, marks, s):
            adam.zero_grad()
            nn.functional.mse_loss(model(past, said)[0], truth).backward()
            adam.step()
        error = errors(model, windows[1], x, marks, s)[0]
        worse = 0 if error < best else worse + 1
        if not worse:
            best, kept = error, {k: v.clone() for k, v in model.state_dict().items()}
        if worse == PATIENCE:
            break
        for group in adam.param_groups:
            group["lr"] = RATE * .5 ** epoch  # as published: the second epoch still has the whole rate
    model.load_state_dict(kept)
    return (*errors(model, windows[2], x, marks, s), epoch + 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--preset", required=True, help="etth2-96 ... ettm1-720")
    parser.add_argument("--seeds", default="2023")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    name, horizon = options.preset.split("-")
    x, marks = read(options.data, name)
    s = itransformer.Sizes(BATCH, x.shape[1], marks.shape[1], 96, int(horizon), WIDTH, HEADS, INNER, LAYERS)
    for seed in map(int, options.seeds.split(",")):
        mse, mae, epochs = train(x, marks, MONTH[name], s, seed)
        print(f"{options.preset} seed {seed}: test mse {mse:.4f}, mae {mae:.4f}, {epochs} epochs, torch {torch.__version__}", flush=True)


if __name__ == "__main__":
    main()
