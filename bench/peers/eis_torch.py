"""The MLX guide's network in PyTorch, on the shards that `tidemill eis generate` writes: the yardstick for --inputs known.

    python3 eis_torch.py --data_dir eis_training_data --n_epochs 10

Ten features (log10 of the known parameters and the mask), 10 -> H -> H/2 -> 128, five heads of 12, a head for the residual
norm (standardised log10). Needs torch and numpy. Prints one JSON object; progress goes to stderr."""
import argparse
import glob
import itertools
import json
import os
import sys
import time

import numpy as np
import torch
from torch import nn

NAMES = ["Rsh", "Ra", "Rb", "Ca", "Cb"]
# Three known, two missing, in the MLX guide's order.
PATTERNS = [[1, 1, 1, 0, 0], [1, 1, 0, 1, 0], [1, 0, 1, 1, 0], [0, 1, 1, 1, 0], [1, 1, 0, 0, 1],
            [1, 0, 1, 0, 1], [0, 1, 1, 0, 1], [1, 0, 0, 1, 1], [0, 1, 0, 1, 1], [0, 0, 1, 1, 1]]


def read_shard(path):
    """Axes, indices (rows, 5) and the residual norms of each ground truth, mapped."""
    with open(path, "rb") as file:
        head = file.read(64)
        if head[:8] != b"TIDESHRD":
            sys.exit(f"{path} is not a shard of tidemill eis generate")
        length = int.from_bytes(head[12:16], "little")
        header = json.loads(file.read(length))
    first, kinds = -(-(64 + length) // 64) * 64, {"u8": "u1", "f32": "<f4", "f64": "<f8"}
    column = {c["name"]: np.memmap(path, kinds[c["dtype"]], "r", first + c["offset"], (header["rows"],)) for c in header["columns"]}
    index = np.stack([column[f"{name}_index"] for name in NAMES], 1)
    return header["axes"], index, [column[f"resnorm {truth['id']}"] for truth in header["ground_truths"]]


def draw(axes, index, norms, each, rng):
    """`each` rows for each pattern: features, indices, mask, log10 of the residual norm."""
    logs = np.stack([np.log10(axes[name])[index[:, k]] for k, name in enumerate(NAMES)], 1).astype("f4")
    parts = []
    for pattern in PATTERNS:
        truth, row = rng.integers(len(norms), size=each), rng.integers(len(index), size=each)
        mask = np.tile(np.array(pattern, "f4"), (each, 1))
        norm = np.array([norms[t][r] for t, r in zip(truth, row)], "f4")
        parts.append((np.concatenate([logs[row] * mask, mask], 1), index[row].astype("i8"), mask, np.log10(np.maximum(norm, 1e-6))))
    return [torch.from_numpy(np.concatenate(column)) for column in zip(*parts)]


class Network(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(10, hidden), nn.ReLU(), nn.Dropout(0.3), nn.Linear(hidden, hidden // 2), nn.ReLU(), nn.Dropout(0.2),
                                     nn.Linear(hidden // 2, 128))
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 12)) for _ in NAMES)
        self.norm = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x):
        code = self.encoder(x)
        return torch.stack([head(code) for head in self.heads], 1), self.norm(code)[:, 0]


def loss_of(network, batch):
    """The mean over parameters of the cross-entropy of their unknown entries, half the squared error of the norm, and hits."""
    x, index, mask, norm = batch
    logits, guess = network(x)
    unknown = mask == 0
    entropy = nn.functional.cross_entropy(logits.transpose(1, 2), index, reduction="none") * unknown
    count = unknown.sum(0)
    loss = (entropy.sum(0) / count.clamp(min=1))[count > 0].mean() + 0.5 * nn.functional.mse_loss(guess, norm)
    return loss, (((logits.argmax(2) == index) & unknown).sum() / unknown.sum()).item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", default="eis_training_data")
    parser.add_argument("--out", default=".")
    for name, default in (("n_epochs", 100), ("batch_size", 512), ("hidden_dim", 512), ("samples_per_pattern", 5000), ("seed", 42), ("n_workers", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--weight_decay", type=float, default=0.01)
    o = parser.parse_args()
    torch.manual_seed(o.seed)
    if o.n_workers:
        torch.set_num_threads(o.n_workers)
    paths = sorted(glob.glob(os.path.join(o.data_dir, "shard-*.tmshard")))
    if not paths:
        sys.exit(f"there are no shards in {o.data_dir}: tidemill eis generate --data_dir {o.data_dir}")
    shards = [read_shard(path) for path in paths]
    axes, index, norms = shards[0][0], shards[0][1], list(itertools.chain.from_iterable(shard[2] for shard in shards))
    rng = np.random.default_rng(o.seed)
    held = rng.permutation(len(norms))[:max(1, round(0.15 * len(norms)))] if len(norms) > 1 else []
    x, i, m, n = draw(axes, index, [norm for k, norm in enumerate(norms) if k not in held], o.samples_per_pattern, rng)
    test = draw(axes, index, [norms[k] for k in held] or norms, max(1, o.samples_per_pattern // 5), rng)
    middle, spread = n.mean(), n.std()
    n, test[3] = (n - middle) / spread, (test[3] - middle) / spread
    network = Network(o.hidden_dim)
    adam = torch.optim.AdamW(network.parameters(), lr=o.learning_rate, weight_decay=o.weight_decay)
    steps = -(-len(x) // o.batch_size)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, o.n_epochs * steps)
    best, seconds, accuracy = float("inf"), 0.0, 0.0
    for epoch in range(o.n_epochs):
        begin, order = time.perf_counter(), torch.randperm(len(x))
        network.train()
        for part in order.split(o.batch_size):
            loss, _ = loss_of(network, (x[part], i[part], m[part], n[part]))
            adam.zero_grad()
            loss.backward()
            adam.step()
            cosine.step()
        seconds += time.perf_counter() - begin
        network.eval()
        with torch.no_grad():
            val, accuracy = loss_of(network, test)
        print(f"epoch {epoch + 1}/{o.n_epochs}  val_loss {val:.4f}  val_acc {100 * accuracy:.1f} %", file=sys.stderr)
        if val < best:
            best = val.item()
            torch.save(network.state_dict(), os.path.join(o.out, "best_eis_predictor.pth"))
    print(json.dumps({"schema_version": 1, "command": "eis train", "backend": "pytorch", "torch": torch.__version__, "device": "cpu",
                      "threads": torch.get_num_threads(), "parameters": sum(p.numel() for p in network.parameters()), "rows": len(index) * len(norms),
                      "samples": len(x), "epochs": o.n_epochs, "best_val_loss": best, "val_acc": accuracy, "train_s": seconds,
                      "samples_per_s": len(x) * o.n_epochs / max(seconds, 1e-9)}, indent=2))


if __name__ == "__main__":
    main()
