#!/usr/bin/env python3
"""Python's functions from the public headers: their wrappers in C, their docstrings and their type stubs.

    tools/python_binding.py generated.c docs.h _tidemill.pyi STUB_TEMPLATE [--list]

What python/src has by hand has its signatures and docstrings in STUB_TEMPLATE: they become the C strings doc_Graph_run,
which docs.h declares. Every TIDE_API function of the headers below is either made into a function of Python's, by what its declaration says, or
named in BY_HAND or LEFT_OUT with the reason: one that is neither is an error, so nothing new is overlooked. Comments of the
headers become docstrings. What the declarations cannot say (a default, a name that is a word of Python's) stands in tables."""
import ast
import pathlib
import re
import sys

HEADERS = ["core.h", "ops.h", "nn.h", "optim.h"]
INCLUDE = pathlib.Path(__file__).resolve().parent.parent / "include" / "tidemill"

# Functions that python/src has by hand.
BY_HAND = {
    "graph.c": "tide_graph_new_with tide_graph_free tide_error tide_error_take tide_numerics tide_numerics_set tide_graph_device "
               "tide_graph_threads tide_default_type tide_default_type_set tide_input tide_constant tide_scalar tide_scalar_of "
               "tide_variable tide_find_variable tide_graph_mark tide_graph_rewind",
    "block.c": "tide_scope_push tide_scope_pop tide_recompute_begin tide_recompute_end",
    "value.c": "tide_ok tide_shape_of tide_dtype_of tide_name_of tide_read tide_read_now tide_data tide_write",
    "program.c": "tide_compile tide_program_free tide_program_error tide_program_precision tide_program_device tide_run tide_wait "
                 "tide_program_cancel tide_program_bytes tide_program_kernels tide_program_flops tide_program_explain "
                 "tide_explanation_free tide_explanation_text tide_snapshot tide_snapshot_update tide_restore tide_snapshot_free",
    "process.c": "tide_devices tide_device_info tide_products tide_thread_budget_set tide_thread_budget_get tide_variables_share",
    "custom.c": "tide_custom",
    "array.c": "tide_dtype_size tide_dtype_name tide_shape_count tide_shape_equal",
    "errors.c": "tide_status_name tide_free",
    "module.c": "tide_version",
}
# Functions that Python does not have, and why.
LEFT_OUT = {
    "tide_graph_new": "Graph() is tide_graph_new_with",
    "tide_list_new": "lists are Python's",
    "tide_poison": "operations of one's own raise exceptions",
    "tide_failure_json": "a failure is an exception",
    "tide_device_check": "device_info raises DeviceError",
    "tide_snapshot_data": "state_dict copies variables",
    "tide_rank_here": "the Python package brings no plug-in for MPI",
    "tide_random_uniform": "random_uniform is tide_random_uniform_of, whose type may be left out",
    "tide_random_normal": "random_normal is tide_random_normal_of, whose type may be left out",
    "tide_precision_name": "precisions are words",
    "tide_compile_mode_name": "modes are words",
    "tide_precision_here": "Program.precision and Program.note say what came of it",
    "tide_choices": "runs of the forecaster keep them; no use without run folders",
    "tide_choices_set": "as tide_choices",
    "tide_graph_tuning": "explain() and products() say what was chosen",
    "tide_mse_weighted": "mse takes a weight",
    "tide_mae_weighted": "mae takes a weight",
}
SCALAR = re.compile(r"tide_(\w+)_scalar$")  # operations take numbers

RENAMED = {"tide_not": "logical_not", "tide_and": "logical_and", "tide_or": "logical_or",
           "tide_random_uniform_of": "random_uniform", "tide_random_normal_of": "random_normal"}
ARGUMENT_NAMES = {"in": "inputs", "out": "outputs", "type": "dtype", "g": "graph", "keep": "keepdims"}
# What has a weight of its own in another function.
WEIGHTED = {"tide_mse": "tide_mse_weighted", "tide_mae": "tide_mae_weighted"}
# Defaults, by argument, or function.argument.
DEFAULTS = {"weight": None, "denominator": None, "stop": None, "eps": 1e-5, "prefix": "", "keepdims": False,
            "descending": True, "tide_softmax.axis": -1, "tide_log_softmax.axis": -1, "tide_argmax.axis": -1, "tide_argmin.axis": -1,
            "tide_cumsum.axis": -1, "tide_sort.descending": False, "axis_list": None, "tide_random_uniform_of.low": 0.0,
            "tide_random_uniform_of.high": 1.0, "tide_random_normal_of.mean": 0.0, "tide_random_normal_of.sd": 1.0,
            "tide_pad.value": 0.0, "tide_concat.axis": 0, "tide_stack.axis": 0, "tide_huber.beta": 1.0, "tide_conv1d_new.stride": 1,
            "tide_conv1d_new.padding": 0, "tide_attention.dropout": 0.0, "tide_self_attention_apply.dropout": 0.0,
            "tide_self_attention_queries.dropout": 0.0, "training": False, "probabilities": False, "tide_slice.start": 0,
            "tide_slice_step.start": 0, "tide_slice_step.step": 1, "tide_dropout.training": ...,
            "tide_grad_scaler_new.name": "scaler", "tide_arange.dtype": "i32"}
# Structs that are types: their name, and what their functions' names begin with.
RECORDS = {"tide_linear": ("Linear", "tide_linear_"), "tide_layer_norm_layer": ("LayerNorm", "tide_layer_norm_"),
           "tide_embedding": ("Embedding", "tide_embedding_"), "tide_conv1d": ("Conv1d", "tide_conv1d_"),
           "tide_self_attention": ("SelfAttention", "tide_self_attention_"),
           "tide_grad_scaler": ("GradScaler", "tide_grad_scaler_"), "tide_accumulator": ("Accumulator", "tide_accumulator_")}
FIELD_NAMES = {("tide_grad_scaler", "scale"): "scale_variable"}  # scale() is a method
HIDDEN_FIELDS = {("tide_grad_scaler", "opts")}
WORDS = {"tide_precision": ["graph", "f32", "bf16", "f16", "auto"],
         "tide_program_mode": ["graph", "default", "reduce-overhead", "max-autotune"]}
DTYPES = ["f32", "f64", "f16", "bf16", "i32", "i64", "u8", "bool"]
INDICES = {"index", "label", "start", "offset"}
PYTHON_WORDS = {"Either pointer may be NULL.": "", "probabilities: NULL, or receives the": "probabilities: True gives as well the",
                "may be the poison-free value (tide_val){0} for none, else broadcasts": "may be None, else it broadcasts",
                "(count 0: all of them). keep:": "(None: all of them). keepdims:", "`type`": "`dtype`",
                "An empty list where that fails (TIDE_ESHAPE).": "", "TIDE_EVAL": "training=False", "TIDE_TRAIN": "training=True", "TIDE_END": "None", "TIDE_ALL": "axis=None",
                "(tide_val){ 0 }": "None", "(tide_val){0}": "None", "NULL": "None"}

# In place of the headers' examples, by the first word of the library's in them.
EXAMPLES = {
    "tide_grad_scaler": """  scaler = GradScaler(g)
  gradients = scaler.unscale(grad(scaler.scale(loss), params))
  update = scaler.step(adamw(params, clip_norm(gradients, 1.0), lr=1e-3))
""",
    "tide_accumulator": """  a = Accumulator(g, params, part_samples)
  g.sample_offset(a.offset)     # the samples of a part draw the masks that they have in the whole
  losses = ...                  # one a sample, of inputs with part_samples samples
  g.sample_offset(None)
  total = losses.sum()
  part = g.compile(a.add(grad(total, params), total, part_samples))
  update = a.step(adamw(params, clip_norm(a.take(), 1.0), lr=1e-3))
  step = g.compile([a.loss, update])
""",
}


# ---- reading ----

class Function:
    def __init__(self, returns, name, parameters, doc):
        self.returns, self.c_name, self.parameters, self.doc = returns, name, parameters, doc
        self.name = RENAMED.get(name, name[5:])


class Struct:
    def __init__(self, name, fields, doc, defaults):
        self.name, self.fields, self.doc, self.defaults = name, fields, doc, defaults


def without_cplusplus(text):
    """The lines that C sees; in place of the others, and of directives, a #."""
    out, branches, continued = [], [], False
    for line in text.splitlines():
        word = re.match(r"\s*#\s*(\w+)", line)
        if word and not continued:
            if word.group(1) in ("ifdef", "ifndef", "if"):
                branches.append("ifdef __cplusplus" in line)
            elif word.group(1) == "else":
                branches[-1] = not branches[-1]
            elif word.group(1) == "endif":
                branches.pop()
        hidden = bool(word) or continued or any(branches)
        continued = line.endswith("\\") and (continued or bool(word))
        out.append("#" if hidden else line)
    return "\n".join(out)


def comment_text(comment):
    lines = [re.sub(r"^\s*\*? ?", "", line) for line in comment[2:-2].strip().splitlines()]
    return "\n".join(line.rstrip() for line in lines).strip()


def split_parameters(text):
    """[(type, name)] of a declaration's parentheses."""
    found = []
    for part in text.split(","):
        part = " ".join(part.split())
        if part in ("", "void"):
            continue
        match = re.match(r"(.*?)(\w+)(\[\d*\])?$", part)
        found.append((match.group(1).strip().replace(" *", "*").replace("* ", "*") + ("[]" if match.group(3) else ""), match.group(2)))
    return found


def struct_of(name, body, doc):
    fields, defaults = [], {}
    for match in re.finditer(r"(const char|\w+)\s+(\**\w[\w\s,*]*);[ \t]*(/\*.*?\*/)?", body, flags=re.S):
        kind, names, comment = match.groups()
        names = [n.strip() for n in names.split(",")]
        told = re.search(r"where 0: ([\d., e-]+\d)", comment_text(comment)) if comment else None
        numbers = [float(x) for x in told.group(1).split(",")] if told else []
        for i, field in enumerate(names):
            star = field.startswith("*")
            field = field.lstrip("*")
            fields.append((kind + ("*" if star else ""), field, comment_text(comment) if comment else ""))
            if i < len(numbers):
                defaults[field] = numbers[i]
    told = re.search(r"Defaults where 0: ((?:\w+ [\d.e-]+\d,?\s*)+)", doc)
    for field, number in re.findall(r"(\w+) ([\d.e-]+\d)", told.group(1)) if told else []:
        defaults[field] = float(number)
    return Struct(name, fields, doc, defaults)


ITEM = re.compile(r"(?P<comment>/\*.*?\*/)|(?P<function>TIDE_API\b[^;{}]*;)|"
                  r"(?P<struct>typedef struct (?P<name>\w+) \{(?P<body>.*?)\} \w+;)", re.S)


def read_header(path):
    """Functions and structs, each with the comment of its paragraph and the one behind it."""
    text = without_cplusplus(path.read_text())
    functions, structs, leading, section, last_end, last = [], {}, "", "", 0, None
    for item in ITEM.finditer(text):
        between = text[last_end:item.start()]
        if re.search(r"\n[ \t]*\n", between):
            leading = ""
        behind = last is not None and "\n" not in between
        last_end = item.end()
        if item["comment"]:
            said = comment_text(item["comment"])
            if behind:
                last.doc = (last.doc + "\n\n" + said).strip()
            elif said.startswith("----"):
                section, leading = said.strip("- "), ""
            else:
                leading = said
            last = None if not behind else last
        elif item["struct"]:
            structs[item["name"]] = last = struct_of(item["name"], item["body"], leading)
        else:
            match = re.match(r"TIDE_API\s+(.*?)(\w+)\s*\((.*)\)\s*;", item["function"], re.S)
            returns = match.group(1).strip().replace(" *", "*")
            last = Function(returns, match.group(2), split_parameters(match.group(3)), leading)
            last.section = section
            functions.append(last)
    return functions, structs


# ---- what Python sees ----

class Row:
    """An argument of Python's: name, kind, default (... for none), type for the stub."""
    def __init__(self, name, kind, default, hint, words=None):
        self.name, self.kind, self.default, self.hint, self.words = name, kind, default, hint, words

    def text(self):
        return self.name if self.default is ... else f"{self.name}={self.default!r}"

    def stub(self):
        return f"{self.name}: {self.hint}" + ("" if self.default is ... else f" = {self.default!r}")

    def c(self):
        number = self.default if isinstance(self.default, (int, float)) else 0
        if self.kind == "ARG_DTYPE":
            number = DTYPES.index(self.default) if self.default in DTYPES else -1
        if self.kind == "ARG_WORD":
            number = self.words.index(self.default) if self.default in self.words else 0
        optional = "false" if self.default is ... else "true"
        words = next((f"words_of_{name}" for name, words in WORDS.items() if words is self.words), "NULL")
        return f'{{ "{self.name}", {self.kind}, {optional}, {float(number):g}, {words} }}'


KINDS = {"tide_val": ("ARG_VALUE", "_Operand", "value"), "tide_list": ("ARG_VALUES", "Sequence[Value]", "list"),
         "int": ("ARG_SMALL", "int", "integer"), "int64_t": ("ARG_INT", "int", "integer"), "double": ("ARG_REAL", "float", "real"),
         "bool": ("ARG_BOOL", "bool", "truth"), "const char*": ("ARG_TEXT", "str", "text"), "tide_dtype": ("ARG_DTYPE", "_DType", "type"),
         "tide_shape": ("ARG_SHAPE", "_Shape", "shape"), "const int*": ("ARG_ORDER", "Sequence[int]", "order"),
         "tide_mode": ("ARG_BOOL", "bool", "truth"), "tide_precision": ("ARG_WORD", "str", "integer"),
         "tide_program_mode": ("ARG_WORD", "str", "integer"), "const char*const[]": ("ARG_TEXTS", "Sequence[str]", "texts")}


def default_of(function, name):
    return DEFAULTS.get(f"{function.c_name}.{name}", DEFAULTS.get(name, ...))


class Binding:
    """A function's rows, and the C expressions of what the library is called with."""
    def __init__(self, function, structs):
        self.f, self.structs = function, structs
        self.rows, self.late, self.arguments, self.setup, self.outs = [], [], [], [], []
        self.on_graph = self.on_record = False
        for i, (kind, name) in enumerate(function.parameters):
            self.add(i, kind, name)
        self.rows += self.late
        self.arguments = [a(self) if callable(a) else a for a in self.arguments]
        self.setup = [a(self) for a in self.setup]

    def add_row(self, row, late=False):
        (self.late if late else self.rows).append(row)
        return lambda binding: f"c.given[{binding.rows.index(row)}]"

    def member(self, given, field, cast=""):
        return lambda binding: f"{cast}{given(binding)}.{field}"

    def add(self, i, kind, name):
        f, python_name = self.f, ARGUMENT_NAMES.get(name, name)
        record = re.sub(r"^const |\*$", "", kind)
        if kind == "tide_graph*" and i == 0:
            self.on_graph = True
            self.arguments.append("c.graph->graph")
        elif record in RECORDS and kind.endswith("*") and i == 0:
            self.on_record = record
            self.arguments.append("record_bytes(self)")
        elif kind == "tide_val*":
            self.add_out(name)
        elif record.endswith("_opts"):
            self.add_options(self.structs[record])
        elif kind == "tide_axes":
            axis = self.add_row(Row("axis", "ARG_AXES", None, "_Axes"))
            keep = self.add_row(Row("keepdims", "ARG_BOOL", False, "bool"))
            self.setup.append(lambda b: f"{axis(b)}.axes.keep = {keep(b)}.truth;")
            self.arguments.append(self.member(axis, "axes"))
        elif kind == "const int64_t*":
            sizes = self.add_row(Row(python_name, "ARG_SIZES", ..., "Sequence[int]"))
            self.arguments += [self.member(sizes, "sizes.items"), self.member(sizes, "sizes.count")]
        elif name == "count" and f.parameters[i - 1][0] == "const int64_t*":
            pass
        else:
            self.add_plain(kind, name, python_name)

    def add_plain(self, kind, name, python_name):
        f = self.f
        if kind == "tide_mode":
            python_name = "training"
        row_kind, hint, field = KINDS[kind]
        default = default_of(f, python_name)
        if kind == "tide_val" and name in INDICES:
            row_kind = "ARG_INDEX"
        if kind == "tide_val" and (default is None or f.c_name == "tide_sample_offset"):
            row_kind, hint = row_kind + "_OR_NONE", "_Operand | None"
        if kind == "int64_t" and name == "stop":
            row_kind, hint = "ARG_END", "int | None"
        late = kind == "tide_dtype" and f.c_name != "tide_cast"
        if late:
            default = default if default is not ... else None
            hint = "_DType | None" if default is None else hint
        given = self.add_row(Row(python_name, row_kind, default, hint, WORDS.get(kind)), late)
        casts = {"int": "(int)", "tide_mode": "(tide_mode)", "tide_precision": "(tide_precision)", "tide_program_mode": "(tide_program_mode)"}
        if late and default is None:
            self.arguments.append(lambda b: f"type_or_default(&c, {given(b)}.type)")
        elif kind == "const char*" and default == "":
            self.arguments.append(lambda b: f'({given(b)}.text ? {given(b)}.text : "")')
        elif kind == "const char*" and default is not ...:
            self.arguments.append(lambda b: f'({given(b)}.text ? {given(b)}.text : "{default}")')
        else:
            self.arguments.append(self.member(given, field, casts.get(kind, "")))

    def add_out(self, name):
        """A result by pointer: all of a function that returns nothing, else one that is asked for."""
        self.outs.append(name)
        if self.f.returns == "void":
            self.arguments.append(f"&outs[{len(self.outs) - 1}]")
        else:
            wanted = self.add_row(Row(name, "ARG_BOOL", False, "bool"))
            self.wanted = wanted
            self.arguments.append(lambda b: f"{wanted(b)}.truth ? &outs[1] : NULL")

    def add_options(self, struct):
        parts = []
        for kind, name, _ in struct.fields:
            default = struct.defaults.get(name)
            if kind == "tide_val":
                parts.append((name, self.member(self.add_row(Row(name, "ARG_VALUE", ..., "_Operand")), "value")))
            elif kind == "bool":
                parts.append((name, self.member(self.add_row(Row(name, "ARG_BOOL", False, "bool")), "truth")))
            elif kind == "int64_t":
                parts.append((name, self.member(self.add_row(Row(name, "ARG_INT_NOT_0", int(default), "int")), "integer")))
            elif kind == "const char*":
                parts.append((name, self.member(self.add_row(Row(name, "ARG_TEXT_OR_NONE", None, "str | None")), "text")))
            else:
                row = Row(name, "ARG_REAL" if default is None else "ARG_REAL_NOT_0", 0.0 if default is None else default, "float")
                parts.append((name, self.member(self.add_row(row), "real")))
        self.setup.append(lambda b: f"{struct.name} opts = {{ %s }};" % ", ".join(f".{n} = {e(b)}" for n, e in parts))
        self.arguments.append("&opts")

    # ---- the wrapper ----

    def result(self):
        f, call = self.f, f"{self.target()}({', '.join(self.arguments)})"
        if f.returns == "void" and self.outs:
            return [f"{call};", f"return call_tuple(&c, outs, {len(self.outs)});"]
        if f.returns == "void":
            return [f"{call};", "return call_none(&c);"]
        if self.outs:
            wanted = self.wanted(self)
            return [f"outs[0] = {call};", f"return {wanted}.truth ? call_tuple(&c, outs, 2) : call_value(&c, outs[0]);"]
        if f.returns in RECORDS:
            return [f"{f.returns} made = {call};", f"return call_record(&c, &generated_records[{list(RECORDS).index(f.returns)}], &made);"]
        return [f"return {'call_values' if f.returns == 'tide_list' else 'call_value'}(&c, {call});"]

    def target(self):
        return getattr(self.f, "c_target", self.f.c_name)

    def c_body(self, name):
        rows = self.rows
        makes = self.f.returns in RECORDS
        if makes:
            rows = [Row("graph", "ARG_GRAPH", ..., "Graph")] + rows
        shift = lambda text: re.sub(r"c\.given\[(\d+)\]", lambda m: f"c.given[{int(m.group(1)) + 1}]", text) if makes else text
        lines = [f"static PyObject *do_{name}(PyObject *self, graph_object *graph, PyObject *first, FAST_ARGUMENTS) {{"]
        if rows:
            lines += ["    static const arg rows[] = {"] + [f"        {row.c()}," for row in rows] + ["    };"]
        lines += ["    call c;"]
        if self.outs:
            lines += ["    tide_val outs[2];"]
        lines += ["    (void)self;",
                  f'    if (!call_begin(&c, "{self.python_name()}", {"rows" if rows else "NULL"}, {len(rows)}, graph, first, args, count, names)) return NULL;']
        lines += ["    " + shift(line) for line in self.setup + self.result()]
        return "\n".join(lines + ["}"])

    def python_name(self):
        if self.on_record:
            return RECORDS[self.on_record][0] + "." + self.method_name()
        return RECORDS[self.f.returns][0] if self.f.returns in RECORDS else self.f.name

    def method_name(self):
        name = self.f.c_name[len(RECORDS[self.on_record][1]):]
        return "__call__" if name == "apply" else name

    # ---- the stub ----

    def hint(self):
        f = self.f
        if f.returns == "void":
            return "tuple[Value, Value]" if self.outs else "None"
        if f.returns == "tide_list":
            return "list[Value]"
        return RECORDS[f.returns][0] if f.returns in RECORDS else "Value"


# ---- docstrings ----

EXAMPLE = re.compile(r"(^  .*tide_.*;.*\n)(^  .*\n)*", re.M)  # C


def pythonic(text, names):
    text = EXAMPLE.sub(lambda m: EXAMPLES[re.search(r"tide_\w+", m.group(0)).group(0)], text)
    text = re.sub(r"Defaults where 0: (\w+ [\d.e-]+\d,? ?)+\.?\s*", "", text)
    for c, python in PYTHON_WORDS.items():
        text = text.replace(c, python)
    text = re.sub(r"TIDE_E(SHAPE|TYPE|INVAL)\b", "InvalidError", text)
    text = re.sub(r"TIDE_EDEVICE\b", "DeviceError", text)
    text = re.sub(r"\b(TIDE_)?(F32|F64|F16|BF16|I32|I64|U8|BOOL)\b", lambda m: m.group(2).lower(), text)
    return re.sub(r"\btide_\w+", lambda m: names.get(m.group(0), m.group(0)[5:]), text)


def c_string(text, indent):
    """Lines of adjacent literals."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("??", "?\\?")
    lines = escaped.split("\n")
    return f"\n{indent}".join(f'"{line}\\n"' if i + 1 < len(lines) else f'"{line}"' for i, line in enumerate(lines))


def doc_of(binding, names):
    f = binding.f
    text = f.doc or f.section
    if any(kind == "tide_axes" for kind, _ in f.parameters):
        text = (f.doc + "\n\n" + binding.structs["tide_axes"].doc).strip()
    return pythonic(text, names) if text else ""


def signature(name, rows, receiver):
    rest = [row.text() for row in rows]
    return f"{name}({', '.join([receiver, '/'] + rest) if receiver else ', '.join(rest)})"


# ---- writing ----

HEAD = """/* Written by tools/python_binding.py from the public headers. */
#include <stddef.h>

#include "binding.h"

#define FAST_ARGUMENTS PyObject *const *args, Py_ssize_t count, PyObject *names

static inline tide_dtype type_or_default(const call *c, tide_dtype type) {
    return (int)type < 0 ? tide_default_type(c->graph->graph) : type;
}
"""


class Output:
    def __init__(self):
        self.code, self.functions, self.graph, self.value, self.records = [], [], [], [], {}
        self.stub_functions, self.stub_graph, self.stub_value, self.stub_records = [], [], [], {}

    def method(self, table, wrapper, name, call, sign, doc):
        self.code.append(f"static METHOD({wrapper}) {{ {call} }}")
        table.append(f'    {{ "{name}", FAST({wrapper}),\n      ' + c_string(f"{sign}\n--\n\n{doc}".rstrip() if doc else f"{sign}\n--\n\n", "      ") + " },")


def stub(name, rows, receiver, hint, doc, indent):
    arguments = ([receiver] if receiver else []) + [row.stub() for row in rows]
    head = f"{indent}def {name}({', '.join(arguments)}) -> {hint}:"
    if not doc:
        return head + " ..."
    body = doc.replace("\\", "\\\\").replace('"""', "'''")
    lines = body.split("\n")
    quoted = f'{indent}    """' + lines[0] + "".join(f"\n{indent}    {line}".rstrip() for line in lines[1:])
    quoted += f'\n{indent}    """' if len(lines) > 1 or doc.endswith('"') else '"""'
    return f"{head}\n{quoted}"


def bind(out, binding, names):
    f, name, doc = binding.f, binding.f.name, doc_of(binding, names)
    key = f.c_name[5:]
    out.code.append(binding.c_body(key))
    rows, hint = binding.rows, binding.hint()
    if binding.outs and f.returns != "void":
        hint = "Value | tuple[Value, Value]"
    if f.returns in RECORDS:
        out.records[f.returns] = ("make", key, [Row("graph", "ARG_GRAPH", ..., "Graph")] + rows, doc)
        out.code.append(f"static METHOD(make_{key}) {{ return do_{key}(self, NULL, NULL, args, count, names); }}")
        return
    if binding.on_record:
        method = binding.method_name()
        call = f"return do_{key}(self, ((record_object *)self)->graph, NULL, args, count, names);"
        table = out.stub_records.setdefault(binding.on_record, [])
        table.append(stub(method, rows, "self", hint, doc, "    "))
        if method == "__call__":
            out.records[binding.on_record, "call"] = key
            out.code.append(f"static METHOD(r_{key}) {{ {call} }}")
        else:
            out.method(out.records.setdefault((binding.on_record, "methods"), []), f"r_{key}", method, call,
                       signature(method, rows, "$self"), doc)
        return
    if binding.on_graph:
        out.method(out.graph, f"g_{key}", name, f"return do_{key}(self, (graph_object *)self, NULL, args, count, names);",
                   signature(name, rows, "$self"), doc)
        out.stub_graph.append(stub(name, rows, "self", hint, doc, "    "))
    if not binding.on_graph or (rows and rows[0].kind == "ARG_VALUES"):
        out.method(out.functions, f"f_{key}", name, f"return do_{key}(self, NULL, NULL, args, count, names);",
                   signature(name, rows, "$module"), doc)
        out.stub_functions.append(stub(name, rows, "", hint, doc, ""))
    if rows and rows[0].kind == "ARG_VALUE" and f.header != "nn.h" and f.header != "optim.h":
        out.method(out.value, f"v_{key}", name, f"return do_{key}(NULL, NULL, self, args, count, names);",
                   signature(name, rows[1:], "$self"), doc)
        out.stub_value.append(stub(name, rows[1:], "self", hint, doc, "    "))


FIELD_KINDS = {"tide_val": ("FIELD_VALUE", "Value"), "tide_list": ("FIELD_VALUES", "list[Value]"), "int64_t": ("FIELD_INT", "int"),
               "double": ("FIELD_REAL", "float"), "bool": ("FIELD_BOOL", "bool")}


def record(out, struct, names):
    """Its type: fields, methods, how it is made and called."""
    python_name, c = RECORDS[struct.name][0], struct.name[5:]
    fields, stubs = [], []
    for kind, name, comment in struct.fields:
        if (struct.name, name) in HIDDEN_FIELDS:
            continue
        shown = FIELD_NAMES.get((struct.name, name), name)
        if kind in RECORDS:
            field, hint, of = "FIELD_RECORD", RECORDS[kind][0], f"&generated_records[{list(RECORDS).index(kind)}]"
        else:
            (field, hint), of = FIELD_KINDS[kind], "NULL"
        if name in ("denominator", "bias", "finite"):
            hint += " | None"
        doc = pythonic(comment, names).replace("\n", " ") or name
        out.code.append(f"static const record_field {c}_{name} = {{ {field}, offsetof({struct.name}, {name}), {of} }};")
        fields.append(f'    {{ "{shown}", record_get, NULL, {c_string(doc, "")}, (void *)&{c}_{name} }},')
        stubs.append(f"    @property\n    def {shown}(self) -> {hint}: ...")
    _, make, rows, doc = out.records[struct.name]
    call = out.records.get((struct.name, "call"))
    methods = out.records.get((struct.name, "methods"), [])
    out.code.append(f"static PyGetSetDef {c}_fields[] = {{\n" + "\n".join(fields) + "\n    { 0 },\n};")
    out.code.append(f"static PyMethodDef {c}_methods[] = {{\n" + "\n".join(methods + ["    { 0 }"]) + "\n};")
    text = f"{python_name}({', '.join(row.text() for row in rows)})\n--\n\n{doc or pythonic(struct.doc, names)}"
    slots = [f"{{ Py_tp_doc,\n      {c_string(text, '      ')} }}", "{ Py_tp_new, record_make }", "{ Py_tp_dealloc, record_dealloc }",
             "{ Py_tp_traverse, record_traverse }", "{ Py_tp_repr, record_repr }", f"{{ Py_tp_getset, {c}_fields }}", f"{{ Py_tp_methods, {c}_methods }}"]
    slots += ["{ Py_tp_call, record_call }"] if call else []
    out.code.append(f"static PyType_Slot {c}_slots[] = {{\n    " + ",\n    ".join(slots + ["{ 0 }"]) + ",\n};")
    out.code.append(f'static PyType_Spec {c}_spec = {{ "tidemill.{python_name}", sizeof(record_object) + sizeof({struct.name}), 0,\n'
                    f"    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, {c}_slots }};")
    head = f"@final\nclass {python_name}:\n" + stub("__new__", rows, "cls", python_name, doc or pythonic(struct.doc, names), "    ")
    out.stub_records[struct.name] = "\n".join([head] + stubs + out.stub_records.get(struct.name, []))
    return f"    {{ &{c}_spec, sizeof({struct.name}), make_{make}, {'r_' + call if call else 'NULL'}, NULL }},"


# ---- what is written by hand ----

def hand_signature(function, receiver):
    """As inspect.signature reads it from a docstring's first line."""
    a = function.args
    a.args = a.args[1:] if receiver == "$self" and a.args else a.args
    a.posonlyargs = a.posonlyargs[1:] if receiver == "$self" and a.posonlyargs else a.posonlyargs
    for one in a.args + a.posonlyargs + a.kwonlyargs + ([a.vararg] if a.vararg else []):
        one.annotation = None
    told = ast.unparse(a).replace(" = ", "=")
    own = receiver if a.posonlyargs else f"{receiver}, /"
    return f"{function.name}({', '.join(x for x in (own, told) if x)})"


def hand_docs(tree):
    """name -> text, for every docstring of the template."""
    docs = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
            docs[node.name] = f"{hand_signature(node, '$module')}\n--\n\n{ast.get_docstring(node)}"
        if not isinstance(node, ast.ClassDef) or not ast.get_docstring(node):
            continue
        text = ast.get_docstring(node)
        for member in node.body:
            if not isinstance(member, ast.FunctionDef):
                continue
            is_property = any(isinstance(d, ast.Name) and d.id == "property" for d in member.decorator_list)
            said = ast.get_docstring(member)
            if member.name == "__new__":
                member.name = node.name
                text = hand_signature(member, "$self").replace("$self, /, ", "").replace("$self, ", "") + "\n--\n\n" + text
            elif said:
                head = "" if is_property else hand_signature(member, "$self") + "\n--\n\n"
                docs[f"{node.name}_{member.name.strip('_')}"] = head + said
        docs[node.name] = text
    return docs


def sort_functions(functions):
    """Those that are made here; an error names what is in no table, and what is in one but not there."""
    by_hand = {name for names in BY_HAND.values() for name in names.split()}
    made, faults, found = [], [], {f.c_name for f in functions}
    for f in functions:
        if f.c_name in by_hand or f.c_name in LEFT_OUT or SCALAR.match(f.c_name) and f.c_name[:-7] in found:
            continue
        known = f.returns in ("tide_val", "tide_list", "void", *RECORDS)
        if not known:
            faults.append(f"{f.c_name}: returns {f.returns}; say in BY_HAND or LEFT_OUT what becomes of it")
        else:
            made.append(f)
    faults += [f"{name}: no public header declares it" for name in sorted((by_hand | set(LEFT_OUT)) - found)]
    if faults:
        sys.exit("tools/python_binding.py:\n" + "\n".join(faults))
    return made


def weighted(functions):
    """The form with a weight in place of the one without, where a header has both."""
    by_name = {f.c_name: f for f in functions}
    for plain, full in WEIGHTED.items():
        f = by_name[plain]
        f.parameters, f.doc = by_name[full].parameters, f.doc or by_name[full].doc
        f.c_target = full


def main():
    source, header, stubs, template = sys.argv[1:5]
    functions, structs = [], {}
    for name in HEADERS:
        found, more = read_header(INCLUDE / name)
        for f in found:
            f.header = name
        functions += found
        structs.update(more)
    weighted(functions)
    made = sort_functions(functions)
    names = {f.c_name: f.name for f in functions}
    names.update({name: python for name, (python, _) in RECORDS.items()})
    for python, prefix in RECORDS.values():
        names.update({f.c_name: f"{python}.{f.c_name[len(prefix):]}" for f in functions if f.c_name.startswith(prefix)})
        names[f"{prefix}new"] = python
    out = Output()
    for f in made:
        bind(out, Binding(f, structs), names)
    rows = [record(out, structs[name], names) for name in RECORDS]
    lists = "".join("static const char *const words_of_%s[] = { %s, NULL };\n" % (name, ", ".join(f'"{w}"' for w in words))
                    for name, words in WORDS.items())
    text = HEAD + lists + "\n" + "\n\n".join(out.code) + "\n"
    for table, entries in (("generated_functions", out.functions), ("generated_graph_methods", out.graph), ("generated_value_methods", out.value)):
        text += f"\nPyMethodDef {table}[] = {{\n" + "\n".join(entries + ["    { 0 }"]) + "\n};\n"
    text += "\nrecord_type generated_records[] = {\n" + "\n".join(rows) + "\n};\n"
    text += f"const int generated_record_count = {len(rows)};\n"
    told = pathlib.Path(template).read_text()
    docs = hand_docs(ast.parse(re.sub(r"^ *@\w+@$", "", told, flags=re.M)))
    text += "".join(f"const char doc_{name}[] =\n    {c_string(doc, '    ')};\n" for name, doc in docs.items())
    pathlib.Path(source).write_text(text)
    pathlib.Path(header).write_text("".join(f"extern const char doc_{name}[];\n" for name in docs))
    words = {"@functions@": "\n".join(out.stub_functions), "    @graph@": "\n".join(out.stub_graph),
             "    @value@": "\n".join(out.stub_value), "@records@": "\n\n".join(out.stub_records[name] for name in RECORDS)}
    for word, replacement in words.items():
        told = told.replace(word, replacement)
    pathlib.Path(stubs).write_text(told)
    if "--list" in sys.argv:
        print("\n".join(sorted(f.c_name for f in made)))


if __name__ == "__main__":
    main()
