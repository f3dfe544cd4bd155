#!/usr/bin/env python3
"""What `tidemill bench --against` compares with: the same models, sizes and training step in PyTorch.

    python3 torch_bench.py [--device cpu|cuda] [--threads N] [--cases etth1,m1,...] [--modes eager,compile,...] [--seconds S]

A step is forward with dropout, loss, backward, gradients clipped to norm 1 and AdamW with rate 1e-3, on data that stay in
memory. The cases predict1, predict64 and predict1024 are answers to so many windows, told as steps. Modes: eager, compile (torch.compile), amp (bf16 by torch.autocast), compile-amp; on cuda also graph (the whole step,
AdamW with it, captured in a CUDA graph that is replayed) and graph-compile-amp. Products in f32 do not use TF32. Prints
PyTorch's version, then one JSON object a line for each case and mode: median and minimum of the steps after warm-up, each
waited for; the time to the end of the first one with compiling and capturing; the p50 and p95 of one answer. On cuda also
queued_ms, a step of so many that are queued before a single wait, and peak_mib, the most that tensors took."""
import gc
import math
import time

import torch
from torch import nn

from common import (CLASSES, CLIP, DECAY, HEADS, MARKS, PARAMETERS, PRED, RATE, SEQ, Forecast, Impedance, answer_figures, parse_options,
                    print_cases, print_line, step_figures)

ON_CPU = {"eager": (False, False, False), "compile": (True, False, False), "amp": (False, True, False),
          "compile-amp": (True, True, False)}  # compiled, bf16, captured
ON_CUDA = {**ON_CPU, "graph": (False, False, True), "graph-compile-amp": (True, True, True)}
CAPTURE_WARMUPS = 4


def forecast_data(sizes):
    b, n = sizes.batch, sizes.columns
    return (torch.randn(b, SEQ, n), torch.randn(b, SEQ, MARKS)), (torch.randn(b, PRED, n),)


def forecast_loss(answer, truth):
    return nn.functional.mse_loss(answer, *truth)


def impedance_data(sizes):
    b = sizes.batch
    missing = torch.randint(2, (b, PARAMETERS)).float()
    return (torch.randn(b, 2 * PARAMETERS),), (torch.randint(CLASSES, (b, PARAMETERS)), missing, torch.randn(b))


def impedance_loss(answer, truth):
    (logits, norm), (label, missing, target) = answer, truth
    entropy = nn.functional.cross_entropy(logits.reshape(-1, CLASSES), label.reshape(-1), reduction="none")
    missing = missing.reshape(-1)
    return (entropy * missing).sum() / missing.sum() + nn.functional.mse_loss(norm, target) / 2


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

    def __init__(self, sizes):
        super().__init__()
        hidden, (first, second, last) = sizes.hidden, sizes.dropout
        self.encoder = nn.Sequential(nn.Linear(2 * PARAMETERS, hidden), nn.ReLU(), nn.Dropout(first),
                                     nn.Linear(hidden, hidden // 2), nn.ReLU(), nn.Dropout(second), nn.Linear(hidden // 2, 128))
        heads = [nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Dropout(last), nn.Linear(64, CLASSES)) for _ in range(PARAMETERS)]
        self.heads, self.norm = nn.ModuleList(heads), nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x):
        code = self.encoder(x)
        return torch.stack([head(code) for head in self.heads], dim=1), self.norm(code)[:, 0]


KINDS = {Forecast: (Transformer, forecast_data, forecast_loss), Impedance: (Predictor, impedance_data, impedance_loss)}


def captured(run):
    """`run` as the replay of a CUDA graph; a few runs on a stream beside warm it up, as capturing asks for."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(CAPTURE_WARMUPS):
            run()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def optimizer(model, on_cuda, graph):
    fast = {"fused": True, "capturable": graph} if on_cuda else {}
    return torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY, **fast)


def measure(sizes, modes, device, budget_s):
    compiled, half, graph = modes
    on_cuda = device.type == "cuda"
    wait = torch.cuda.synchronize if on_cuda else lambda: None
    make, data, loss_of = KINDS[type(sizes)]
    torch.manual_seed(1)
    began = time.perf_counter()
    model = make(sizes).to(device)
    inputs, truth = [[x.to(device) for x in part] for part in data(sizes)]
    call = torch.compile(model) if compiled else model
    adam = optimizer(model, on_cuda, graph)

    def answering(question):
        def answer():
            with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=half):
                call(*question)

        model.eval()
        return captured(answer) if graph else answer

    def step():
        adam.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss = loss_of(call(*inputs), truth)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        adam.step()

    run = answering(inputs) if sizes.answers else captured(step) if graph else step
    run()
    wait()
    first_s = time.perf_counter() - began
    figures = {**step_figures(run, wait, budget_s, on_cuda), "first_s": first_s}
    if on_cuda:
        figures["peak_mib"] = torch.cuda.max_memory_allocated() / 2**20
    if sizes.answers:
        return figures
    ask = answering([x[:1].contiguous() for x in inputs])

    def answered():
        ask()
        wait()

    return {**figures, **answer_figures(answered)}


def clear(device):
    """For the next case: nothing compiled, nothing held, a new peak."""
    torch.compiler.reset()
    if device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def main():
    options = parse_options(__doc__)
    device = torch.device(options.device)
    if options.threads:
        torch.set_num_threads(options.threads)
    modes = ON_CPU
    if device.type == "cuda":
        modes = ON_CUDA
        torch.cuda.set_device(device.index or 0)
        torch.zeros(1, device=device)  # starting the device is no part of a first step
    print_line({"torch": torch.__version__, "device": options.device, "threads": torch.get_num_threads()})
    asked = options.modes.split(",") if options.modes else modes
    print_cases(options.cases.split(","), asked, lambda sizes, mode: measure(sizes, modes[mode], device, options.seconds),
                lambda: clear(device))


if __name__ == "__main__":
    main()
