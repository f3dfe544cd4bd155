#!/usr/bin/env python3
"""What `tidemill bench --against` compares with: the same models, sizes and training step in PyTorch.

    python3 torch_bench.py [--threads N] [--cases etth1,m1,...] [--modes eager,compile,amp,compile-amp] [--seconds S]

A step is forward with dropout, loss, backward, gradients clipped to norm 1 and AdamW with rate 1e-3, on data that stay in
memory. amp: bf16 by torch.autocast. Prints PyTorch's version, then one JSON object a line for each case and mode: median and
minimum of the steps after warm-up, the time to the end of the first one with compiling, and the p50 and p95 of one answer."""
import argparse
import dataclasses
import json
import math
import time

import torch
from torch import nn

MODES = {"eager": (False, False), "compile": (True, False), "amp": (False, True), "compile-amp": (True, True)}  # compiled, bf16
WARMUPS, LEAST_STEPS, MOST_STEPS, ANSWER_WARMUPS, ANSWERS = 5, 5, 300, 10, 100
SEQ, PRED, MARKS, HEADS = 96, 96, 4, 8
CLASSES, PARAMETERS = 12, 5


@dataclasses.dataclass
class Forecast:
    """Sizes of an iTransformer over `columns` variates."""
    columns: int
    batch: int
    width: int
    inner: int
    layers: int
    dropout: float = 0.1

    def model(self):
        return Transformer(self)

    def data(self):
        b, n = self.batch, self.columns
        return (torch.randn(b, SEQ, n), torch.randn(b, SEQ, MARKS)), torch.randn(b, PRED, n)

    @staticmethod
    def loss(answer, truth):
        return nn.functional.mse_loss(answer, truth)


@dataclasses.dataclass
class Impedance:
    """Sizes of the predictor of circuit parameters from the known ones."""
    batch: int
    hidden: int = 512

    def model(self):
        return Predictor(self.hidden)

    def data(self):
        b = self.batch
        missing = torch.randint(2, (b, PARAMETERS)).float()
        return (torch.randn(b, 2 * PARAMETERS),), (torch.randint(CLASSES, (b, PARAMETERS)), missing, torch.randn(b))

    @staticmethod
    def loss(answer, truth):
        (logits, norm), (label, missing, target) = answer, truth
        entropy = nn.functional.cross_entropy(logits.reshape(-1, CLASSES), label.reshape(-1), reduction="none")
        missing = missing.reshape(-1)
        return (entropy * missing).sum() / missing.sum() + nn.functional.mse_loss(norm, target) / 2


CASES = {
    "etth1": Forecast(columns=7, batch=32, width=256, inner=256, layers=2),
    "m1": Forecast(columns=7, batch=256, width=192, inner=768, layers=2),
    "ecl": Forecast(columns=321, batch=16, width=512, inner=512, layers=3),
    "traffic": Forecast(columns=862, batch=16, width=512, inner=512, layers=4),
    "eis512": Impedance(batch=512),
    "eis8192": Impedance(batch=8192),
}


class Layer(nn.Module):
    """Attention over tokens, then a map of each; a layer norm after each sum. Dropout on weights, branches and hidden values."""

    def __init__(self, width, inner, dropout):
        super().__init__()
        self.query, self.key, self.value, self.out = [nn.Linear(width, width) for _ in range(4)]
        self.widen, self.narrow = nn.Linear(width, inner), nn.Linear(inner, width)
        self.after_attention, self.after_map = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def attention(self, x):
        batch, tokens, width = x.shape
        split = [part(x).reshape(batch, tokens, HEADS, width // HEADS).transpose(1, 2) for part in (self.query, self.key, self.value)]
        scores = split[0] @ split[1].transpose(2, 3) / math.sqrt(width // HEADS)
        mixed = self.dropout(scores.softmax(-1)) @ split[2]
        return self.out(mixed.transpose(1, 2).reshape(batch, tokens, width))

    def forward(self, x):
        x = self.after_attention(x + self.dropout(self.attention(x)))
        hidden = self.dropout(nn.functional.gelu(self.widen(x)))
        return self.after_map(x + self.dropout(self.narrow(hidden)))


class Transformer(nn.Module):
    """Each variate's window, standardised, is a token; so is each mark's."""

    def __init__(self, sizes):
        super().__init__()
        self.embedding = nn.Linear(SEQ, sizes.width)
        self.layers = nn.ModuleList([Layer(sizes.width, sizes.inner, sizes.dropout) for _ in range(sizes.layers)])
        self.last_norm, self.projector = nn.LayerNorm(sizes.width), nn.Linear(sizes.width, PRED)
        self.dropout = nn.Dropout(sizes.dropout)

    def forward(self, values, marks):
        middle = values.mean(1, keepdim=True)
        centred = values - middle
        spread = (centred.var(1, keepdim=True, unbiased=False) + 1e-5).sqrt()
        tokens = self.dropout(self.embedding(torch.cat([centred / spread, marks], -1).transpose(1, 2)))
        for layer in self.layers:
            tokens = layer(tokens)
        ahead = self.projector(self.last_norm(tokens)).transpose(1, 2)[..., : values.shape[-1]]
        return ahead * spread + middle


class Predictor(nn.Module):
    """10 -> H -> H/2 -> 128, a head of 12 classes for each parameter and one for the residual norm."""

    def __init__(self, hidden):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(2 * PARAMETERS, hidden), nn.ReLU(), nn.Dropout(0.3),
                                     nn.Linear(hidden, hidden // 2), nn.ReLU(), nn.Dropout(0.2), nn.Linear(hidden // 2, 128))
        heads = [nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, CLASSES)) for _ in range(PARAMETERS)]
        self.heads, self.norm = nn.ModuleList(heads), nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x):
        code = self.encoder(x)
        return torch.stack([head(code) for head in self.heads], dim=1), self.norm(code)[:, 0]


def seconds_of(run):
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def quantile(times, q):
    """Interpolated between the two nearest."""
    times, place = sorted(times), q * (len(times) - 1)
    low = int(place)
    return times[low] + (place - low) * (times[min(low + 1, len(times) - 1)] - times[low])


def measure(case, compiled, half, budget_s):
    torch.manual_seed(1)
    began = time.perf_counter()
    model, (inputs, truth) = case.model(), case.data()
    call = torch.compile(model) if compiled else model
    adam = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def step():
        adam.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = case.loss(call(*inputs), truth)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()

    step()
    first_s = time.perf_counter() - began
    for _ in range(WARMUPS):
        step()
    steps, until = [], time.perf_counter() + budget_s
    while len(steps) < LEAST_STEPS or (len(steps) < MOST_STEPS and time.perf_counter() < until):
        steps.append(seconds_of(step))
    model.eval()
    question = [x[:1].contiguous() for x in inputs]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        answers = [seconds_of(lambda: call(*question)) for _ in range(ANSWER_WARMUPS + ANSWERS)][ANSWER_WARMUPS:]
    return {"step_ms": 1e3 * quantile(steps, 0.5), "step_min_ms": 1e3 * min(steps), "first_s": first_s,
            "infer_p50_ms": 1e3 * quantile(answers, 0.5), "infer_p95_ms": 1e3 * quantile(answers, 0.95)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(json.dumps({"torch": torch.__version__, "device": "cpu", "threads": torch.get_num_threads()}), flush=True)
    for name in options.cases.split(","):
        for mode in options.modes.split(","):
            try:
                figures = measure(CASES[name], *MODES[mode], options.seconds)
            except Exception as error:  # a mode that does not work here is told, and the others go on
                figures = {"failed": f"{type(error).__name__}: {error}"[:200]}
            print(json.dumps({"case": name, "mode": mode, **figures}), flush=True)
            torch.compiler.reset()


if __name__ == "__main__":
    main()
