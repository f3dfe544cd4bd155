#!/usr/bin/env python3
"""What lstm.c times, in PyTorch: the equations in a Python loop, and torch.nn.LSTM.

lstm.py [T] [batch] [hidden] [features] [threads]"""
import sys
import time

import torch


def cell_loop(x, w_input, w_hidden, bias, hidden):
    sliced = x @ w_input + bias
    h = c = torch.zeros(x.shape[0], hidden)
    for t in range(x.shape[1]):
        i, f, n, o = (sliced[:, t] + h @ w_hidden).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(n)
        h = torch.sigmoid(o) * torch.tanh(c)
    return h


def measure(name, step, seconds=6):
    wall, spent, begun = [], [], time.perf_counter()
    while len(wall) < 5 or time.perf_counter() - begun < seconds:
        at, before = time.perf_counter(), time.process_time()
        loss = step()
        wall.append(time.perf_counter() - at)
        spent.append(time.process_time() - before)
    wall.sort()
    print(f"{name}: step {1e3 * wall[0]:.2f} ms least, {1e3 * wall[len(wall) // 2]:.2f} median, "
          f"{1e3 * min(spent):.2f} processor time; loss {loss:.7g}")


def main():
    steps, batch, hidden, features, threads = (*map(int, sys.argv[1:]), *(200, 32, 64, 8, 1)[len(sys.argv) - 1:])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    x = ((torch.arange(batch * steps * features) * 7919 % 1000) / 500 - 1).reshape(batch, steps, features)
    shapes = (features, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,)
    weights = [torch.empty(s).uniform_(-0.125, 0.125).requires_grad_() for s in shapes]
    layer = torch.nn.LSTM(features, hidden, batch_first=True)

    def loop():
        loss = cell_loop(x, *weights, hidden).square().mean()
        torch.autograd.grad(loss, weights)
        return loss.item()

    def whole():
        loss = layer(x)[0][:, -1].square().mean()
        torch.autograd.grad(loss, list(layer.parameters()))
        return loss.item()

    measure("a loop of the equations", loop)
    measure("torch.nn.LSTM", whole)


if __name__ == "__main__":
    main()
