"""An ONNX file read and worked out by the standard library alone: protocol buffers' wire format, and the operators that exports use.
Numbers are Python's, so float is as exact as double: what it gives differs from a runtime's in the last digits of float32."""
import itertools
import math
import struct

FLOAT, INT64, DOUBLE = 1, 7, 11


def fields(data):
    """(field, value) of a message: whole numbers, bytes, or four bytes as they are."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value - (1 << 64) if value >= 1 << 63 else value
    while at < len(data):
        tag = varint()
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            yield field, varint()
        else:
            assert wire in (2, 5), f"field {field} has wire type {wire}"
            size = varint() if wire == 2 else 4
            assert at + size <= len(data), f"field {field} is longer than its message"
            yield field, data[at:at + size]
            at += size


def all_of(data, field):
    return [value for number, value in fields(data) if number == field]


def one_of(data, field, usual=None):
    found = all_of(data, field)
    return found[-1] if found else usual


class Array:
    """Numbers in rows, with a shape."""

    def __init__(self, shape, values):
        self.shape, self.values = tuple(shape), list(values)
        assert math.prod(self.shape) == len(self.values), f"{self.shape} of {len(self.values)} numbers"

    def strides(self):
        steps = [math.prod(self.shape[i + 1:]) for i in range(len(self.shape))]
        return steps

    def index(self, places):
        """The numbers at these places, for a shape that this one is broadcast to."""
        steps = [0] * (len(places[0]) - len(self.shape)) + [s if n > 1 else 0 for s, n in zip(self.strides(), self.shape)] if places else []
        return [self.values[sum(p * s for p, s in zip(place, steps))] for place in places]


def places(shape):
    return list(itertools.product(*(range(n) for n in shape)))


def broadcast(*shapes):
    longest = max(map(len, shapes))
    padded = [(1,) * (longest - len(s)) + tuple(s) for s in shapes]
    out = tuple(max(axis) for axis in zip(*padded))
    assert all(n in (1, out[i]) for s in padded for i, n in enumerate(s)), f"{shapes} do not fit together"
    return out


def lanes(function, *arrays):
    shape = broadcast(*(a.shape for a in arrays))
    at = places(shape)
    return Array(shape, map(function, *(a.index(at) for a in arrays)))


def divide(a, b):
    return a / b if isinstance(a, float) else int(math.copysign(abs(a) // abs(b), a * b))


def transpose(x, perm):
    shape = [x.shape[p] for p in perm]
    back = [perm.index(i) for i in range(len(perm))]
    return Array(shape, x.index([tuple(place[b] for b in back) for place in places(shape)]))


def matmul(a, b):
    assert a.shape[-1] == b.shape[-2], f"{a.shape} times {b.shape}"
    head, n = broadcast(a.shape[:-2], b.shape[:-2]), a.shape[-1]
    shape = (*head, a.shape[-2], b.shape[-1])

    def cell(place):
        left = a.index([(*place[:-1], k) for k in range(n)])
        right = b.index([(*place[:-2], k, place[-1]) for k in range(n)])
        return sum(p * q for p, q in zip(left, right))
    return Array(shape, map(cell, places(shape)))


def rows(x, function):
    n = x.shape[-1]
    return [function(x.values[i:i + n]) for i in range(0, len(x.values), n)]


def softmax(row):
    powers = [math.exp(v - max(row)) for v in row]
    return [p / sum(powers) for p in powers]


def concat(arrays, axis):
    shape = list(arrays[0].shape)
    shape[axis] = sum(a.shape[axis] for a in arrays)
    out = []
    for head in places(shape[:axis]):
        for a in arrays:
            size = math.prod(a.shape[axis:])
            start = sum(p * s for p, s in zip(head, a.strides()))
            out += a.values[start:start + size]
    return Array(shape, out)


def reshape(x, shape):
    return Array([x.shape[i] if n == 0 else n for i, n in enumerate(shape.values)], x.values)


def cut(x, start, stop, axes):
    (first,), (last,), (axis,) = start.values, stop.values, axes.values
    shape = [last - first if i == axis else n for i, n in enumerate(x.shape)]
    return Array(shape, x.index([tuple(p + first * (i == axis) for i, p in enumerate(place)) for place in places(shape)]))


def unsqueeze(x, axes):
    (axis,) = axes.values
    return Array((*x.shape[:axis], 1, *x.shape[axis:]), x.values)


def mean(x, attributes):
    assert attributes["axes"] == [-1]
    return Array((*x.shape[:-1], 1), rows(x, lambda row: sum(row) / len(row)))


OPERATORS = {
    "Add": lambda a, x, y: lanes(lambda p, q: p + q, x, y), "Sub": lambda a, x, y: lanes(lambda p, q: p - q, x, y),
    "Mul": lambda a, x, y: lanes(lambda p, q: p * q, x, y), "Div": lambda a, x, y: lanes(divide, x, y),
    "Mod": lambda a, x, y: lanes(lambda p, q: p % q, x, y), "Equal": lambda a, x, y: lanes(lambda p, q: p == q, x, y),
    "Less": lambda a, x, y: lanes(lambda p, q: p < q, x, y), "Where": lambda a, c, x, y: lanes(lambda k, p, q: p if k else q, c, x, y),
    "Sqrt": lambda a, x: lanes(math.sqrt, x), "Erf": lambda a, x: lanes(math.erf, x), "Relu": lambda a, x: lanes(lambda p: max(p, 0.0), x),
    "Pow": lambda a, x, y: lanes(pow, x, y), "Softplus": lambda a, x: lanes(lambda p: max(p, 0.0) + math.log1p(math.exp(-abs(p))), x),
    "Identity": lambda a, x: x, "Cast": lambda a, x: lanes(int if a["to"] == INT64 else float, x), "MatMul": lambda a, x, y: matmul(x, y),
    "Transpose": lambda a, x: transpose(x, a["perm"]), "ReduceMean": lambda a, x: mean(x, a), "Reshape": lambda a, x, s: reshape(x, s),
    "Softmax": lambda a, x: Array(x.shape, itertools.chain.from_iterable(rows(x, softmax))), "Slice": lambda a, x, *w: cut(x, *w),
    "Unsqueeze": lambda a, x, axes: unsqueeze(x, axes), "Concat": lambda a, *x: concat(x, a["axis"]),
}


class Model:
    """ModelProto: its parts by name; malformed ones fail an assertion."""

    def __init__(self, path):
        data = path.read_bytes()
        self.graph = one_of(data, 7)
        self.ir, self.opset = one_of(data, 1), one_of(one_of(data, 8), 2)
        self.metadata = {one_of(e, 1).decode(): one_of(e, 2).decode() for e in all_of(data, 14)}
        self.inputs = dict(map(self.port, all_of(self.graph, 11)))
        self.outputs = dict(map(self.port, all_of(self.graph, 12)))
        self.tensors = dict(map(self.tensor, all_of(self.graph, 5)))
        self.nodes = list(map(self.node, all_of(self.graph, 1)))

    @staticmethod
    def port(value):
        """(name, (type, axes))"""
        tensor = one_of(one_of(value, 2), 1)
        axes = [one_of(d, 1) if one_of(d, 1) else one_of(d, 2).decode() for d in all_of(one_of(tensor, 2), 1)]
        return one_of(value, 1).decode(), (one_of(tensor, 1), axes)

    @staticmethod
    def tensor(value):
        form = {FLOAT: "f", INT64: "q", DOUBLE: "d"}[one_of(value, 2)]
        raw = one_of(value, 9)
        return one_of(value, 8).decode(), Array(all_of(value, 1), struct.unpack(f"<{len(raw) // struct.calcsize(form)}{form}", raw))

    @staticmethod
    def node(value):
        """(operator, inputs, output, attributes)"""
        attributes = {one_of(a, 1).decode(): all_of(a, 8) if one_of(a, 20) == 7 else one_of(a, 3) for a in all_of(value, 5)}
        (output,) = all_of(value, 2)
        return one_of(value, 4).decode(), [i.decode() for i in all_of(value, 1)], output.decode(), attributes

    def run(self, **given):
        values = {**self.tensors, **given}
        assert set(given) == set(self.inputs), f"{set(self.inputs)} are the inputs"
        for operator, inputs, output, attributes in self.nodes:
            assert output not in values, f"{output} is made twice"
            values[output] = OPERATORS[operator](attributes, *(values[i] for i in inputs))
        return {name: values[name] for name in self.outputs}
