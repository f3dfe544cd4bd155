/* Sums of partials, rows by index, running sums. Where elements are added at places that an index tells, a thread owns
 * the place and adds in the order of the index: nothing is atomic, and sums are those of the ref backend. */
#include "fill.h"
#include "plan.h"

#include "add_each_text.h"
#include "cumsum_group_text.h"
#include "cumsum_lines_text.h"
#include "fold_text.h"
#include "gather_text.h"
#include "put_lines_text.h"
#include "scatter_text.h"

enum {
    THREADS = 256,          /* a group, at most */
    NEIGHBOURS = 4,         /* elements that a lane has side by side, of a tile */
    FOLD_COLUMNS = 32,      /* that a group reads side by side, where rows are split among lanes */
    FOLD_ROWS = 8,          /* the least a lane adds up */
    FEW_GROUPS = 256,       /* do not fill a device */
    LONG_LINE = 64,         /* elements, or places of an index, that are worth a group's lanes */
    MANY_LINES = 8192       /* fill a device by themselves */
};

/* What all bodies have: words for sizes and types, and the limits of the group. */
static gpu_words begin(gpu_print *g, int32_t threads) {
    gpu_words w = { 0 };
    g->threads = threads;
    gpu_word_printed(&w, "threads", "%d", (int)threads);
    gpu_word_printed(&w, "each", "%d", NEIGHBOURS);
    gpu_word(&w, "I", gpu_index_type(g->program, g->kernel));
    text_add(&g->body, "{\nBEGIN\n");
    return w;
}

static int32_t usual_threads(const gpu_print *g) { return MIN2(g->limits->threads, THREADS); }

static void declare(gpu_print *g, const char *name, int64_t number) {
    gpu_declare(g, gpu_index_type(g->program, g->kernel), name, number);
}

/* One thread an element of so many. */
static void cover(gpu_print *g, const char *name, int64_t elements) {
    declare(g, name, elements);
    g->groups = ceil_div(elements, g->threads);
}

/* Whether numbers of the operand's type can be added here. */
static bool adds(gpu_print *g, const flat_operand *o) {
    if (o->type == TIDE_F64 && !g->limits->f64) g->lacks = "it adds numbers of f64, which the device does not have";
    return !g->lacks;
}

/* ---- sums of partials ---------------------------------------------------------------------------------- */

/* Columns of a group: as many as there are lanes, but fewer where columns are few and rows many. */
static int32_t fold_width(const flat_index *ix, int32_t threads) {
    int32_t width = threads;
    while (width > 1 && (width > FOLD_COLUMNS || width / 2 >= ix->inner) && ceil_div(ix->inner, width) < FEW_GROUPS &&
           ix->n > (int64_t)FOLD_ROWS * (threads / width))
        width /= 2;
    return width;
}

void gpu_print_fold(gpu_print *g, int launch) {
    const flat_index *ix = &g->kernel->index;
    const flat_operand *o = g->kernel->operands;
    (void)launch;
    if (!adds(g, &o[0]) || !adds(g, &o[1])) return;
    gpu_words w = begin(g, usual_threads(g));
    int32_t width = fold_width(ix, g->threads);
    gpu_word_sums(&w, o[0].type);
    gpu_word_load(&w, o[0].type);
    gpu_word_store(&w, o[1].type);
    gpu_operand(g, "x", &o[0], false);
    gpu_operand(g, "out", &o[1], true);
    declare(g, "n", ix->n);
    declare(g, "inner", ix->inner);
    gpu_declare(g, "uint", "width", width);
    g->groups = ceil_div(ix->inner, width);
    gpu_fill_in(g, &w, fold_text);
}

/* ---- rows by index ------------------------------------------------------------------------------------- */

/* Memory as integers, which are copied bit by bit, and the NaN of the type. */
static const struct { tide_dtype type; const char *blank; } bits[TIDE_DTYPES] = {
    [TIDE_F32] = { TIDE_I32, "0x7fc00000" }, [TIDE_F64] = { TIDE_I64, "0x7ff8000000000000" },
    [TIDE_F16] = { TIDE_F16, "0x7e00" },     [TIDE_BF16] = { TIDE_BF16, "0x7fc0" },
    [TIDE_I32] = { TIDE_I32, "0" },          [TIDE_I64] = { TIDE_I64, "0" },
    [TIDE_U8]  = { TIDE_U8, "0" },           [TIDE_BOOL] = { TIDE_BOOL, "0" },
};

static void operand_as_bits(gpu_print *g, const char *name, flat_operand o, bool written) {
    o.type = bits[o.type].type;
    gpu_operand(g, name, &o, written);
}

static void print_gather(gpu_print *g) {
    const flat_index *ix = &g->kernel->index;
    const flat_operand *o = g->kernel->operands;
    gpu_words w = begin(g, usual_threads(g));
    gpu_word(&w, "M", gpu_memory_type(bits[o[0].type].type));
    gpu_word(&w, "blank", bits[o[0].type].blank);
    gpu_word(&w, "which", g->kernel->kind == FLAT_GATHER ? "row % count" : "at");
    operand_as_bits(g, "x", o[0], false);
    gpu_operand(g, "index", &o[1], false);
    operand_as_bits(g, "out", o[2], true);
    declare(g, "n", ix->n);
    declare(g, "inner", ix->inner);
    declare(g, "count", ix->count);
    cover(g, "total", ix->outer * ix->count * ix->inner);
    gpu_fill_in(g, &w, gather_text);
}

/* Rows that are added where an index tells: an operand of each, `base` NULL where they are added to nothing. `along`:
 * each element has an index of its own, of `count` numbers that are `inner` apart; else one is for all of `outer`. */
typedef struct adding { const flat_operand *base, *index, *rows, *out; bool along; } adding;

static gpu_words begin_adding(gpu_print *g, const adding *a) {
    bool in_place = a->base && a->base->buffer == a->out->buffer && a->base->offset == a->out->offset;
    gpu_words w = begin(g, usual_threads(g));
    gpu_word_sums(&w, a->out->type);
    gpu_word_load(&w, a->out->type);
    gpu_word_store(&w, a->out->type);
    gpu_word(&w, "before", a->base ? "sum = $load(base[at])" : "");
    gpu_word(&w, "written", in_place ? "touched" : "1");
    gpu_word(&w, "which", a->along ? "start + j * inner" : "j");
    if (a->base) gpu_operand(g, "base", a->base, false);
    gpu_operand(g, "index", a->index, false);
    gpu_operand(g, "rows", a->rows, false);
    gpu_operand(g, "out", a->out, true);
    declare(g, "n", g->kernel->index.n);
    declare(g, "inner", g->kernel->index.inner);
    declare(g, "count", g->kernel->index.count);
    return w;
}

/* A long index is read once by each group: count * n * inner / threads reads for a part of `outer`. */
static void add_by_groups(gpu_print *g, const gpu_words *w, bool along) {
    const flat_index *ix = &g->kernel->index;
    int64_t size = ix->n * ix->inner, blocks = ceil_div(size, g->threads);
    declare(g, "size", size);
    declare(g, "blocks", blocks);
    declare(g, "index_step", along ? ix->count : 0);
    g->groups = ix->outer * blocks;
    gpu_fill_in(g, w, scatter_text);
}

static void print_adding(gpu_print *g, adding a) {
    const flat_index *ix = &g->kernel->index;
    int64_t lines = ix->outer * ix->inner;
    if (!adds(g, a.out)) return;
    gpu_words w = begin_adding(g, &a);
    if (ix->count >= LONG_LINE && (!a.along || ix->inner == 1)) {
        add_by_groups(g, &w, a.along);
    } else if (ix->count >= LONG_LINE && lines >= MANY_LINES) {
        cover(g, "lines", lines);
        gpu_fill_in(g, &w, put_lines_text);
    } else {
        cover(g, "total", lines * ix->n);
        gpu_fill_in(g, &w, add_each_text);
    }
}

/* ---- running sums -------------------------------------------------------------------------------------- */

/* Lanes of a group for a line: no more than it has use for. */
static int32_t line_threads(const gpu_print *g) {
    int32_t threads = usual_threads(g);
    while (threads > 32 && (int64_t)threads / 2 * NEIGHBOURS >= g->kernel->index.n) threads /= 2;
    return threads;
}

/* Neighbouring lanes have neighbouring lines: fine where lines are many and lie side by side. */
static void print_cumsum(gpu_print *g) {
    const flat_index *ix = &g->kernel->index;
    const flat_operand *o = g->kernel->operands;
    int64_t lines = ix->outer * ix->inner;
    bool alone = ix->n < LONG_LINE || (lines >= MANY_LINES && ix->inner >= 32);
    if (!adds(g, &o[0])) return;
    gpu_words w = begin(g, alone ? usual_threads(g) : line_threads(g));
    gpu_word_sums(&w, o[0].type);
    gpu_word_load(&w, o[0].type);
    gpu_word_store(&w, o[1].type);
    gpu_operand(g, "x", &o[0], false);
    gpu_operand(g, "out", &o[1], true);
    declare(g, "n", ix->n);
    declare(g, "inner", ix->inner);
    declare(g, "start", ix->flag ? (ix->n - 1) * ix->inner : 0);
    declare(g, "stride", ix->flag ? -ix->inner : ix->inner);
    if (alone) cover(g, "lines", lines);
    else g->groups = lines;
    if (ix->n == 0) g->groups = 0;
    gpu_fill_in(g, &w, alone ? cumsum_lines_text : cumsum_group_text);
}

void gpu_print_index(gpu_print *g, int launch) {
    const flat_operand *o = g->kernel->operands;
    (void)launch;
    switch (g->kernel->kind) {
    case FLAT_GATHER:
    case FLAT_TAKE_ALONG:  print_gather(g); break;
    case FLAT_SCATTER_ADD: print_adding(g, (adding){ &o[0], &o[1], &o[2], &o[3], false }); break;
    case FLAT_CUMSUM:      print_cumsum(g); break;
    default:               print_adding(g, (adding){ NULL, &o[0], &o[1], &o[2], true }); break;
    }
}
