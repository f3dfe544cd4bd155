/* A stack machine for the pickle opcodes of a state dictionary; what it cannot name it refuses. Nothing is ever
 * called. */
#include "pickle.h"

#include <inttypes.h>
#include <stdlib.h>

#include "../base/base.h"
#include "utf8.h"

typedef enum kind { MARK, NONE, BOOLEAN, INTEGER, TEXT, GLOBAL, TUPLE, DICT, STORAGE, TENSOR } kind;
typedef enum global { ORDERED_DICT, REBUILD_TENSOR, STORAGE_TYPE } global;

/* Small and copied freely. What `number` and `more` mean depends on the kind. */
typedef struct value {
    kind    kind;
    int32_t more;  /* TEXT: length. TUPLE: items. GLOBAL: which */
    union {
        /* INTEGER, BOOLEAN. TEXT: place in the code. TUPLE: first item in the pool. DICT, STORAGE, TENSOR: index */
        int64_t number;
        const stored_type *type;  /* GLOBAL that is a STORAGE_TYPE */
    };
} value;

typedef struct list {
    void   *items;
    int64_t count, room;
} list;

typedef struct dict_entry {
    int64_t dict;
    value   key, value;
} dict_entry;

typedef struct machine {
    const source *source;
    const unsigned char *code;
    int64_t length, at, argument;  /* argument: the number that follows the opcode */
    list    stack, memo, pool;     /* of value; the pool holds the items of tuples */
    list    entries;               /* of dict_entry */
    list    storages, tensors;     /* of pickle_storage, pickle_tensor */
    int64_t dicts;
    bool    stopped;
    tide_failure *failure;
} machine;

/* ---- stack --------------------------------------------------------------------------------------------- */

static tide_status damaged(machine *m, const char *what) {
    return source_fail(m->source, m->failure, "its pickle is damaged at byte %" PRId64 ": %s", m->at, what);
}

static tide_status append(machine *m, list *l, const void *item, size_t size) {
    if (l->count == l->room) {
        int64_t room = l->room ? l->room * 2 : 64;
        void *grown = realloc(l->items, (size_t)room * size);
        if (!grown) return memory_fail(m->failure, m->source->path, room * (int64_t)size);
        l->items = grown;
        l->room = room;
    }
    memcpy((char *)l->items + (size_t)l->count++ * size, item, size);
    return TIDE_OK;
}

static tide_status push(machine *m, value v) { return append(m, &m->stack, &v, sizeof v); }

static value *values(const list *l, int64_t i) { return (value *)l->items + i; }

static bool pop(machine *m, value *out) {
    if (m->stack.count == 0 || values(&m->stack, m->stack.count - 1)->kind == MARK) return false;
    *out = *values(&m->stack, --m->stack.count);
    return true;
}

/* Place of the topmost mark; -1 if there is none. */
static int64_t find_mark(const machine *m) {
    int64_t i = m->stack.count - 1;
    while (i >= 0 && values(&m->stack, i)->kind != MARK) i--;
    return i;
}

static const value *item_of(const machine *m, const value *tuple, int32_t i) {
    return values(&m->pool, tuple->number + i);
}

static pickle_text text_of(const machine *m, const value *v) {
    return (pickle_text){ (const char *)m->code + v->number, v->more };
}

static bool text_is(const machine *m, const value *v, const char *word) {
    return v->kind == TEXT && (size_t)v->more == strlen(word) &&
           memcmp(m->code + v->number, word, (size_t)v->more) == 0;
}

/* ---- operations that push ------------------------------------------------------------------------------ */

static tide_status op_mark(machine *m) { return push(m, (value){ .kind = MARK }); }
static tide_status op_none(machine *m) { return push(m, (value){ .kind = NONE }); }
static tide_status op_true(machine *m) { return push(m, (value){ .kind = BOOLEAN, .number = 1 }); }
static tide_status op_false(machine *m) { return push(m, (value){ .kind = BOOLEAN }); }
static tide_status op_unsigned(machine *m) { return push(m, (value){ .kind = INTEGER, .number = m->argument }); }
static tide_status op_signed(machine *m) { return push(m, (value){ .kind = INTEGER, .number = (int32_t)m->argument }); }
static tide_status op_dict(machine *m) { return push(m, (value){ .kind = DICT, .number = m->dicts++ }); }

static tide_status op_text(machine *m) {
    if (m->argument > m->length - m->at) return damaged(m, "a text is longer than what follows");
    if (!utf8_valid((const char *)m->code + m->at, m->argument)) return damaged(m, "a text is not UTF-8");
    value v = { .kind = TEXT, .more = (int32_t)m->argument, .number = m->at };
    m->at += m->argument;
    return push(m, v);
}

/* A little-endian two's complement number of `argument` bytes. */
static tide_status op_long(machine *m) {
    if (m->argument > 8 || m->argument > m->length - m->at) return damaged(m, "a number has more than 64 bits");
    uint64_t bits = 0;
    int n = (int)m->argument;
    for (int i = 0; i < n; i++) bits |= (uint64_t)m->code[m->at + i] << (8 * i);
    if (n > 0 && n < 8 && (m->code[m->at + n - 1] & 0x80)) bits |= UINT64_MAX << (8 * n);
    m->at += n;
    return push(m, (value){ .kind = INTEGER, .number = (int64_t)bits });
}

static tide_status make_tuple(machine *m, int64_t first, int64_t below) {
    value tuple = { .kind = TUPLE, .more = (int32_t)(m->stack.count - first), .number = m->pool.count };
    tide_status status = TIDE_OK;
    for (int64_t i = first; i < m->stack.count && !status; i++) {
        value item = *values(&m->stack, i);
        if (item.kind == MARK) return damaged(m, "a tuple holds a mark");
        status = append(m, &m->pool, &item, sizeof item);
    }
    m->stack.count = below;
    return status ? status : push(m, tuple);
}

static tide_status tuple_of(machine *m, int64_t n) {
    if (m->stack.count < n) return damaged(m, "a tuple lacks items");
    return make_tuple(m, m->stack.count - n, m->stack.count - n);
}
static tide_status op_tuple0(machine *m) { return tuple_of(m, 0); }
static tide_status op_tuple1(machine *m) { return tuple_of(m, 1); }
static tide_status op_tuple2(machine *m) { return tuple_of(m, 2); }
static tide_status op_tuple3(machine *m) { return tuple_of(m, 3); }
static tide_status op_tuple(machine *m) {
    int64_t mark = find_mark(m);
    return mark < 0 ? damaged(m, "a tuple has no beginning") : make_tuple(m, mark + 1, mark);
}

/* ---- memory of earlier values -------------------------------------------------------------------------- */

static tide_status op_put(machine *m) {
    value nothing = { .kind = MARK };  /* a slot that was never set */
    if (m->stack.count == 0) return damaged(m, "nothing to remember");
    if (m->argument > m->length) return damaged(m, "it remembers more values than it can hold");
    tide_status status = TIDE_OK;
    while (m->memo.count <= m->argument && !status) status = append(m, &m->memo, &nothing, sizeof nothing);
    if (!status) *values(&m->memo, m->argument) = *values(&m->stack, m->stack.count - 1);
    return status;
}

static tide_status op_get(machine *m) {
    if (m->argument >= m->memo.count || values(&m->memo, m->argument)->kind == MARK)
        return damaged(m, "it recalls what it never stored");
    return push(m, *values(&m->memo, m->argument));
}

/* ---- dictionaries -------------------------------------------------------------------------------------- */

static tide_status set_items(machine *m, int64_t first, int64_t below) {
    int64_t n = m->stack.count - first;
    if (n % 2 != 0 || below < 1 || values(&m->stack, below - 1)->kind != DICT)
        return damaged(m, "items are put into what is no dictionary");
    tide_status status = TIDE_OK;
    for (int64_t i = first; i < m->stack.count && !status; i += 2) {
        dict_entry e = { values(&m->stack, below - 1)->number, *values(&m->stack, i), *values(&m->stack, i + 1) };
        status = append(m, &m->entries, &e, sizeof e);
    }
    m->stack.count = below;
    return status;
}

static tide_status op_set_item(machine *m) {
    return m->stack.count < 3 ? damaged(m, "an item is missing") : set_items(m, m->stack.count - 2, m->stack.count - 2);
}
static tide_status op_set_items(machine *m) {
    int64_t mark = find_mark(m);
    return mark < 0 ? damaged(m, "items have no beginning") : set_items(m, mark + 1, mark);
}

/* PyTorch hangs version numbers of modules on its dictionary; they are of no use here. */
static tide_status op_build(machine *m) {
    value state;
    if (!pop(m, &state) || state.kind != DICT || m->stack.count == 0 ||
        values(&m->stack, m->stack.count - 1)->kind != DICT)
        return damaged(m, "attributes are set on what is no dictionary");
    return TIDE_OK;
}

/* ---- names, calls, storages ---------------------------------------------------------------------------- */

static bool take_line(machine *m, char *out, int64_t room) {
    const unsigned char *start = m->code + m->at, *end = memchr(start, '\n', (size_t)(m->length - m->at));
    if (!end || end - start >= room) return false;
    memcpy(out, start, (size_t)(end - start));
    out[end - start] = 0;
    if (!utf8_valid(out, end - start)) return false;
    m->at += end - start + 1;
    return true;
}

static tide_status op_global(machine *m) {
    char module[64], name[64];
    if (!take_line(m, module, sizeof module) || !take_line(m, name, sizeof name))
        return damaged(m, "a name is too long, never ends or is not UTF-8");
    value v = { .kind = GLOBAL };
    if (strcmp(module, "torch") == 0 && (v.type = stored_by_torch(name))) v.more = STORAGE_TYPE;
    else if (strcmp(module, "collections") == 0 && strcmp(name, "OrderedDict") == 0) v.more = ORDERED_DICT;
    else if (strcmp(module, "torch._utils") == 0 && strcmp(name, "_rebuild_tensor_v2") == 0) v.more = REBUILD_TENSOR;
    else
        return source_fail(m->source, m->failure, "its pickle asks for %s.%s; only a plain dictionary of tensors, as "
                           "torch.save(model.state_dict(), path) writes it, is accepted", module, name);
    return push(m, v);
}

/* ("storage", type, key, device, elements) */
static tide_status op_storage(machine *m) {
    value id;
    if (!pop(m, &id) || id.kind != TUPLE || id.more != 5) return damaged(m, "a storage is not described by five items");
    const value *type = item_of(m, &id, 1), *key = item_of(m, &id, 2), *count = item_of(m, &id, 4);
    if (!text_is(m, item_of(m, &id, 0), "storage") || type->kind != GLOBAL || type->more != STORAGE_TYPE ||
        key->kind != TEXT || count->kind != INTEGER || count->number < 0)
        return damaged(m, "a storage is not (\"storage\", type, key, device, elements)");
    pickle_storage s = { type->type, text_of(m, key), count->number };
    tide_status status = append(m, &m->storages, &s, sizeof s);
    return status ? status : push(m, (value){ .kind = STORAGE, .number = m->storages.count - 1 });
}

static bool take_sizes(const machine *m, const value *tuple, int64_t out[TIDE_MAX_DIMS]) {
    if (tuple->kind != TUPLE || tuple->more > TIDE_MAX_DIMS) return false;
    for (int32_t i = 0; i < tuple->more; i++) {
        const value *item = item_of(m, tuple, i);
        if (item->kind != INTEGER || item->number < 0) return false;
        out[i] = item->number;
    }
    return true;
}

/* (storage, offset, sizes, strides, requires gradient, hooks) */
static tide_status rebuild_tensor(machine *m, const value *arguments) {
    if (arguments->more != 6) return damaged(m, "a tensor is not described by six items");
    const value *storage = item_of(m, arguments, 0), *offset = item_of(m, arguments, 1);
    const value *sizes = item_of(m, arguments, 2), *strides = item_of(m, arguments, 3);
    pickle_tensor t = { 0 };
    if (storage->kind != STORAGE || offset->kind != INTEGER || offset->number < 0 ||
        !take_sizes(m, sizes, t.shape.dim) || !take_sizes(m, strides, t.stride) || sizes->more != strides->more)
        return damaged(m, "a tensor is not (storage, offset, sizes, strides, flag, hooks) of at most 8 axes");
    t.storage = ((pickle_storage *)m->storages.items)[storage->number];
    t.offset = offset->number;
    t.shape.ndim = sizes->more;
    tide_status status = append(m, &m->tensors, &t, sizeof t);
    return status ? status : push(m, (value){ .kind = TENSOR, .number = m->tensors.count - 1 });
}

static tide_status op_call(machine *m) {
    value arguments, function;
    if (!pop(m, &arguments) || !pop(m, &function) || arguments.kind != TUPLE || function.kind != GLOBAL)
        return damaged(m, "a call lacks its function or its arguments");
    if (function.more == REBUILD_TENSOR) return rebuild_tensor(m, &arguments);
    if (function.more == ORDERED_DICT && arguments.more == 0) return op_dict(m);
    return damaged(m, "a call has unexpected arguments");
}

static tide_status op_protocol(machine *m) {
    if (m->argument == 2) return TIDE_OK;
    return source_fail(m->source, m->failure, "its pickle has protocol %" PRId64 "; 2, which torch.save uses, is "
                                                                                 "accepted",
                       m->argument);
}

static tide_status op_stop(machine *m) {
    m->stopped = true;
    return TIDE_OK;
}

/* ---- the machine --------------------------------------------------------------------------------------- */

static const struct { tide_status (*run)(machine *m); int argument_bytes; } operations[256] = {
    [0x80] = { op_protocol, 1 }, ['.'] = { op_stop, 0 },      ['('] = { op_mark, 0 },     ['N'] = { op_none, 0 },
    [0x88] = { op_true, 0 },     [0x89] = { op_false, 0 },    ['J'] = { op_signed, 4 },   ['K'] = { op_unsigned, 1 },
    ['M'] = { op_unsigned, 2 },  [0x8a] = { op_long, 1 },     ['X'] = { op_text, 4 },     ['}'] = { op_dict, 0 },
    [')'] = { op_tuple0, 0 },    [0x85] = { op_tuple1, 0 },   [0x86] = { op_tuple2, 0 },  [0x87] = { op_tuple3, 0 },
    ['t'] = { op_tuple, 0 },     ['q'] = { op_put, 1 },       ['r'] = { op_put, 4 },      ['h'] = { op_get, 1 },
    ['j'] = { op_get, 4 },       ['s'] = { op_set_item, 0 },  ['u'] = { op_set_items, 0 }, ['b'] = { op_build, 0 },
    ['c'] = { op_global, 0 },    ['R'] = { op_call, 0 },      ['Q'] = { op_storage, 0 },
};

static tide_status step(machine *m) {
    if (m->at >= m->length) return damaged(m, "it never ends");
    unsigned char code = m->code[m->at++];
    int bytes = operations[code].argument_bytes;
    if (!operations[code].run)
        return source_fail(m->source, m->failure,
                           "its pickle holds the operation 0x%02x at byte %" PRId64 "; only a plain dictionary of "
                           "tensors, as torch.save(model.state_dict(), path) writes it, is accepted",
                           code, m->at - 1);
    if (bytes > m->length - m->at) return damaged(m, "it ends in the middle of an operation");
    m->argument = 0;
    for (int i = 0; i < bytes; i++) m->argument |= (int64_t)m->code[m->at++] << (8 * i);
    return operations[code].run(m);
}

/* The tensors of the dictionary that is left on the stack. */
static tide_status collect(machine *m, pickle_dict *out) {
    value root;
    if (!pop(m, &root) || m->stack.count != 0 || m->at != m->length) return damaged(m, "it does not leave one value");
    if (root.kind != DICT) return source_fail(m->source, m->failure, "it does not hold a dictionary of tensors");
    list tensors = { 0 };
    tide_status status = TIDE_OK;
    for (int64_t i = 0; i < m->entries.count && !status; i++) {
        const dict_entry *e = (dict_entry *)m->entries.items + i;
        if (e->dict != root.number) continue;
        if (e->key.kind != TEXT) {
            status = source_fail(m->source, m->failure, "its dictionary has a key that is not a text");
        } else if (e->value.kind != TENSOR) {
            status = source_fail(m->source, m->failure,
                                 "its entry '%.*s' is not a tensor; only a plain dictionary of tensors, as "
                                 "torch.save(model.state_dict(), path) writes it, is accepted",
                                 MIN2(e->key.more, 80), (const char *)m->code + e->key.number);
        } else {
            pickle_tensor t = ((pickle_tensor *)m->tensors.items)[e->value.number];
            t.name = text_of(m, &e->key);
            status = append(m, &tensors, &t, sizeof t);
        }
    }
    *out = (pickle_dict){ tensors.items, tensors.count };
    return status;
}

tide_status pickle_read(const source *s, const unsigned char *code, int64_t length, pickle_dict *out, tide_failure *f) {
    machine m = { .source = s, .code = code, .length = length, .failure = f };
    tide_status status = TIDE_OK;
    *out = (pickle_dict){ 0 };
    if (length > INT32_MAX) status = source_fail(s, f, "its pickle is longer than 2 GiB");
    while (!m.stopped && !status) status = step(&m);
    if (!status) status = collect(&m, out);
    list *lists[] = { &m.stack, &m.memo, &m.pool, &m.entries, &m.storages, &m.tensors };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) free(lists[i]->items);
    if (status) {
        free(out->tensors);
        *out = (pickle_dict){ 0 };
    }
    return status;
}
