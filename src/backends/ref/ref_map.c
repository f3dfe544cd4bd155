/* Map kernels, interpreted: every instruction in turn over one strip of one row. */
#include <math.h>

#include "../../base/philox.h"
#include "ref.h"

enum { STRIP = 64 };  /* columns at a time, unless reductions need the whole row */

typedef struct strip {
    const flat_map *map;
    int64_t task, row, first_row, last_row;  /* rows of the task: [first_row, last_row) */
    int64_t col, width;                      /* columns [col, col + width) */
    int64_t stride;                          /* values a register has room for */
    ref_value *regs, *sums;
} strip;

static int64_t strip_width(const flat_map *m) { return MAX2(m->row_wise ? m->cols : MIN2(m->cols, STRIP), 1); }

static int64_t count_sinks(const flat_map *m) {
    int64_t n = 0;
    for (int32_t i = 0; i < m->count; i++)
        n += m->instrs[i].op == FLAT_COL_SUM || m->instrs[i].op == FLAT_ALL_SUM;
    return n;
}

int64_t ref_map_scratch(const flat_map *m) {
    return (m->regs + count_sinks(m)) * strip_width(m) * (int64_t)sizeof(ref_value);
}

/* Where the operand has the element (row, col) of the domain. Without columns (a size of 0) rows still have a place. */
static int64_t locate(const flat_map *m, const flat_operand *o, int64_t row, int64_t col) {
    int64_t at = 0;
    for (int32_t d = m->ndim - 1; d >= m->row_ndim && m->cols > 0; d--) {
        at += col % m->dim[d] * o->stride[d];
        col /= m->dim[d];
    }
    for (int32_t d = m->row_ndim - 1; d >= 0; d--) {
        at += row % m->dim[d] * o->stride[d];
        row /= m->dim[d];
    }
    return at;
}

static bool varies_in_columns(const flat_map *m, const flat_operand *o) {
    for (int32_t d = m->row_ndim; d < m->ndim; d++)
        if (o->stride[d] != 0) return true;
    return false;
}

static bool per_column(int kind) { return kind == FLAT_COL || kind == FLAT_FULL; }

static ref_value *reg(const strip *s, int index) { return s->regs + index * s->stride; }

static ref_value read_reg(const strip *s, const flat_instr *in, int which, int64_t c) {
    return reg(s, in->src[which])[per_column(in->src_kind[which]) ? c : 0];
}

static void load(const strip *s, const flat_instr *in, const flat_operand *o, const void *data) {
    if (!per_column(in->kind))
        reg(s, in->dst)[0] = ref_load(o->type, data, locate(s->map, o, s->row, 0));
    else
        for (int64_t c = 0; c < s->width; c++)
            reg(s, in->dst)[c] = ref_load(o->type, data, locate(s->map, o, s->row, s->col + c));
}

static void store(const strip *s, const flat_instr *in, const flat_operand *o, void *data) {
    int64_t width = varies_in_columns(s->map, o) || per_column(in->kind) ? s->width : 1;
    int     type  = o->type == TIDE_F16 || o->type == TIDE_BF16 ? TIDE_F32 : o->type;
    for (int64_t c = 0; c < width; c++)
        ref_store(o->type, data, width == 1 && !varies_in_columns(s->map, o) ? locate(s->map, o, s->row, 0)
                                                                            : locate(s->map, o, s->row, s->col + c),
                  ref_cast(type, in->type, read_reg(s, in, 0, c)));
}

static ref_value draw(const strip *s, const flat_instr *in, uint64_t seed, int64_t element) {
    uint32_t step   = (uint32_t)read_reg(s, in, 0, 0).i;
    int64_t  first  = in->src[1] >= 0 ? read_reg(s, in, 1, 0).i : 0;
    uint32_t sample = (uint32_t)(element / in->per_sample + first), within = (uint32_t)(element % in->per_sample);
    if (in->op == FLAT_RANDOM)
        return (ref_value){ .f = philox_unit(philox_word(seed, step, in->site, sample, within)) };
    double half = philox_half(seed, step, in->site, sample, within);
    return (ref_value){ .f = half >= 65536 * (double)(float)in->number ? (float)in->scale : 0 };
}

static ref_value iota(const flat_instr *in, int64_t element) {
    return ref_cast(in->type, TIDE_I64, (ref_value){ .i = element / in->inner % in->size });
}

static ref_value constant(const flat_instr *in) {
    if (ref_is_float(in->type)) return ref_cast(in->type, TIDE_F64, (ref_value){ .f = in->number });
    return (ref_value){ .i = (int64_t)in->number };
}

static ref_value element(const strip *s, const flat_instr *in, uint64_t seed, int64_t c) {
    int64_t   e = s->row * s->map->cols + s->col + c;
    ref_value src[3] = { { 0 } };
    switch (in->op) {
    case FLAT_CONST:    return constant(in);
    case FLAT_CAST:     return ref_cast(in->type, in->src_type[0], read_reg(s, in, 0, c));
    case FLAT_IOTA:     return iota(in, e);
    case FLAT_RANDOM:
    case FLAT_DROPMASK: return draw(s, in, seed, e);
    default: break;
    }
    for (int i = 0; i < 3; i++)
        if (in->src[i] >= 0) src[i] = read_reg(s, in, i, c);
    return ref_scalar((scalar_op)in->op, in->type, in->src_type[0], src);
}

static ref_value row_sum(const strip *s, const flat_instr *in) {
    ref_value sum = { 0 };
    for (int64_t c = 0; c < s->width; c++) {
        ref_value v = read_reg(s, in, 0, c);
        if (ref_is_float(in->type)) sum.f += v.f; else sum.i = (int64_t)((uint64_t)sum.i + (uint64_t)v.i);
    }
    return ref_cast(in->type, ref_is_float(in->type) ? TIDE_F64 : TIDE_I64, sum);
}

/* What the maximum (minimum) over nothing is. */
static ref_value extreme(int type, bool lowest) {
    static const int64_t low[TIDE_DTYPES]  = { [TIDE_I32] = INT32_MIN, [TIDE_I64] = INT64_MIN };
    static const int64_t high[TIDE_DTYPES] = { [TIDE_I32] = INT32_MAX, [TIDE_I64] = INT64_MAX, [TIDE_U8] = UINT8_MAX,
                                               [TIDE_BOOL] = 1 };
    if (ref_is_float(type)) return (ref_value){ .f = lowest ? -INFINITY : INFINITY };
    return (ref_value){ .i = lowest ? low[type] : high[type] };
}

static ref_value row_extreme(const strip *s, const flat_instr *in) {
    ref_value best[2] = { extreme(in->type, in->op == FLAT_ROW_MAX) };
    for (int64_t c = 0; c < s->width; c++) {
        best[1] = read_reg(s, in, 0, c);
        best[0] = ref_scalar(in->op == FLAT_ROW_MAX ? S_MAX : S_MIN, in->type, in->type, best);
    }
    return best[0];
}

static ref_value row_argextreme(const strip *s, const flat_instr *in) {
    int     type = in->src_type[0];
    int64_t best = 0;
    for (int64_t c = 1; c < s->width; c++) {
        ref_value pair[2] = { read_reg(s, in, 0, c), read_reg(s, in, 0, best) };
        if (ref_is_float(type) && isnan(pair[1].f)) break;
        bool nan = ref_is_float(type) && isnan(pair[0].f);
        if (nan || ref_scalar(in->op == FLAT_ROW_ARGMAX ? S_GT : S_LT, TIDE_BOOL, type, pair).i) best = c;
    }
    return (ref_value){ .i = best };
}

/* Sums over the task's rows are kept wide until its last row and then written to the task's partial. */
static void sink(const strip *s, const flat_instr *in, const flat_operand *o, void *data, ref_value *sums) {
    bool    by_column = in->op == FLAT_COL_SUM, real = ref_is_float(in->type);
    int64_t slots = by_column ? s->map->cols : 1;
    for (int64_t c = 0; c < s->width; c++) {
        ref_value v = read_reg(s, in, 0, c), *sum = &sums[by_column ? c : 0];
        if (real) sum->f += v.f; else sum->i = (int64_t)((uint64_t)sum->i + (uint64_t)v.i);
    }
    for (int64_t i = 0; i < slots; i++)
        ref_store(o->type, data, s->task * slots + i, ref_cast(in->type, real ? TIDE_F64 : TIDE_I64, sums[i]));
}

static void run_instr(const ref_run *r, const flat_kernel *k, strip *s, const flat_instr *in) {
    const flat_operand *o = in->operand >= 0 ? &k->operands[in->operand] : NULL;
    void *data = o ? ref_data(r, o) : NULL;
    switch (in->op) {
    case FLAT_LOAD:  load(s, in, o, data); break;
    case FLAT_STORE: store(s, in, o, data); break;
    case FLAT_ROW_SUM: reg(s, in->dst)[0] = row_sum(s, in); break;
    case FLAT_ROW_MAX:
    case FLAT_ROW_MIN: reg(s, in->dst)[0] = row_extreme(s, in); break;
    case FLAT_ROW_ARGMAX:
    case FLAT_ROW_ARGMIN: reg(s, in->dst)[0] = row_argextreme(s, in); break;
    case FLAT_COL_SUM:
    case FLAT_ALL_SUM:
        sink(s, in, o, data, s->sums);
        s->sums += s->stride;
        break;
    default: {
        int64_t width = per_column(in->kind) ? s->width : 1;
        for (int64_t c = 0; c < width; c++) reg(s, in->dst)[c] = element(s, in, r->program->seed, c);
    }
    }
}

void ref_map(const ref_run *r, const flat_kernel *k, int64_t task) {
    const flat_map *m = &k->map;
    strip s = { .map = m, .task = task, .stride = strip_width(m), .regs = r->scratch,
                .first_row = task * m->rows_per_task, .last_row = MIN2(m->rows, (task + 1) * m->rows_per_task) };
    ref_value *sums = s.regs + m->regs * s.stride;
    memset(sums, 0, (size_t)(count_sinks(m) * s.stride) * sizeof *sums);
    for (s.row = s.first_row; s.row < s.last_row; s.row++) {
        int64_t strips = MAX2(ceil_div(m->cols, s.stride), 1);  /* a row without columns still has its reductions */
        for (int64_t i = 0; i < strips; i++) {
            s.col   = i * s.stride;
            s.width = MIN2(s.stride, m->cols - s.col);
            s.sums  = sums;
            for (int32_t j = 0; j < m->count; j++) run_instr(r, k, &s, &m->instrs[j]);
        }
    }
}
