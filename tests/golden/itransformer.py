"""The iTransformer of Liu et al., "iTransformer: Inverted Transformers Are Effective for Time Series Forecasting" (ICLR
2024, arXiv 2310.06625), in PyTorch modules: a second implementation, which shares nothing with the one it is to check.

The modules have the names of the published program's checkpoints: state_dict() names the golden files' arrays."""
import dataclasses
import math

import torch
from torch import nn


@dataclasses.dataclass(frozen=True)
class Sizes:
    """In the order of the golden files' `config`."""
    batch: int
    columns: int
    marks: int
    seq_len: int
    pred_len: int
    d_model: int
    n_heads: int
    d_ff: int
    e_layers: int
    use_norm: bool = True
    gelu: bool = True

    @classmethod
    def of(cls, config):
        return cls(*map(int, config[:9]), *map(bool, config[9:]))

    def config(self):
        return [int(v) for v in dataclasses.astuple(self)]


class Embedding(nn.Module):
    """A series' whole look-back window is one token. Marks are tokens too, after the columns."""

    def __init__(self, s):
        super().__init__()
        self.value_embedding = nn.Linear(s.seq_len, s.d_model)

    def forward(self, x, marks):
        return self.value_embedding((x if marks is None else torch.cat([x, marks], dim=-1)).mT)


class Attention(nn.Module):
    """Every token attends to every token. A head has floor(d_model / n_heads) numbers."""

    def __init__(self, s):
        super().__init__()
        self.n_heads, self.size = s.n_heads, s.d_model // s.n_heads
        self.query_projection, self.key_projection, self.value_projection = (
            nn.Linear(s.d_model, s.n_heads * self.size) for _ in range(3))
        self.out_projection = nn.Linear(s.n_heads * self.size, s.d_model)

    def heads(self, x):
        return x.unflatten(-1, (self.n_heads, self.size)).transpose(1, 2)

    def forward(self, h):
        q, k, v = (self.heads(p(h)) for p in (self.query_projection, self.key_projection, self.value_projection))
        weights = torch.softmax(q @ k.mT / math.sqrt(self.size), dim=-1)
        return self.out_projection((weights @ v).transpose(1, 2).flatten(2)), weights


class Block(nn.Module):
    """Norms come after the sums. The feed-forward part's two maps are convolutions of width one over the tokens."""

    def __init__(self, s):
        super().__init__()
        self.attention = Attention(s)
        self.conv1, self.conv2 = nn.Conv1d(s.d_model, s.d_ff, 1), nn.Conv1d(s.d_ff, s.d_model, 1)
        self.norm1, self.norm2 = nn.LayerNorm(s.d_model), nn.LayerNorm(s.d_model)
        self.activation = nn.GELU() if s.gelu else nn.ReLU()

    def forward(self, h):
        attended, weights = self.attention(h)
        u = self.norm1(h + attended)
        return self.norm2(u + self.conv2(self.activation(self.conv1(u.mT))).mT), weights


class Encoder(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.attn_layers = nn.ModuleList(Block(s) for _ in range(s.e_layers))
        self.norm = nn.LayerNorm(s.d_model)

    def forward(self, h):
        maps = []
        for block in self.attn_layers:
            h, weights = block(h)
            maps.append(weights)
        return self.norm(h), maps


class ITransformer(nn.Module):
    """x (batch, seq_len, columns), marks (batch, seq_len, marks) or None; gives the forecast (batch, pred_len, columns)
    and each block's attention (batch, n_heads, tokens, tokens). Without dropout."""

    def __init__(self, s):
        super().__init__()
        self.use_norm, self.columns = s.use_norm, s.columns
        self.enc_embedding, self.encoder, self.projector = Embedding(s), Encoder(s), nn.Linear(s.d_model, s.pred_len)

    def forward(self, x, marks=None):
        if self.use_norm:
            mean = x.mean(dim=1, keepdim=True)
            deviation = torch.sqrt(x.var(dim=1, keepdim=True, correction=0) + 1e-5)
            x = (x - mean) / deviation
        tokens, maps = self.encoder(self.enc_embedding(x, marks))
        out = self.projector(tokens)[:, :self.columns].mT
        return (out * deviation + mean if self.use_norm else out), maps


def model_with(sizes, parameters, dtype=torch.float64):
    """The model with these parameters (name to array); in float64 what it gives is free of float32's rounding."""
    model = ITransformer(sizes).to(dtype)
    model.load_state_dict({name: torch.tensor(array) for name, array in parameters.items()})
    return model


def tensor(array, dtype):
    return None if array is None else torch.tensor(array, dtype=dtype)


def gradients(model, x, marks, y):
    """Forecast, attention, mean squared error, and its gradient by every parameter: name to array."""
    dtype = next(model.parameters()).dtype
    model.zero_grad()
    out, maps = model(tensor(x, dtype), tensor(marks, dtype))
    loss = nn.functional.mse_loss(out, tensor(y, dtype))
    loss.backward()
    return (out.detach().numpy(), [m.detach().numpy() for m in maps], loss.item(),
            {name: p.grad.numpy().copy() for name, p in model.named_parameters()})


def train(model, batches, lr, clip=math.inf):
    """One Adam step for each (x, marks, y); yields then the loss before it and the gradients' norm before clipping."""
    adam = torch.optim.Adam(model.parameters(), lr=lr)
    for x, marks, y in batches:
        loss = gradients(model, x, marks, y)[2]
        norm = nn.utils.clip_grad_norm_(model.parameters(), clip).item()
        adam.step()
        yield loss, norm


def parameters_of(model):
    """Copies: name to array."""
    return {name: p.numpy().copy() for name, p in model.state_dict().items()}
