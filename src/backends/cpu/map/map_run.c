/* Running a prepared map kernel: block by block, each step over a strip in cache. */
#include "map.h"

typedef struct block {
    const map_exec *x;
    char  **at;                        /* where each value is now */
    int64_t element, row, rows, cols;  /* first element and row */
    int64_t task;
    char   *scratch;
} block;

static int64_t count(const block *b, int kind) {
    switch (kind) {
    case FLAT_ONE: return 1;
    case FLAT_ROW: return b->rows;
    case FLAT_COL: return b->cols;
    default:       return b->rows * b->cols;
    }
}

static void by_row(const block *b, const map_step *s) {
    char *p[4] = { b->at[s->dst], b->at[s->src[0]], b->at[s->src[1]], b->at[s->src[2]] };
    for (int64_t r = 0; r < b->rows; r++) {
        s->strip(p[0], p[1], p[2], p[3], b->cols);
        for (int i = 0; i < 4; i++) p[i] += s->advance[i];
    }
}

static void put_number(void *dst, int type, double x) {
    switch (type) {
    case TIDE_F32: *(float *)dst = (float)x; break;
    case TIDE_F64: *(double *)dst = x; break;
    case TIDE_I32: *(int32_t *)dst = (int32_t)x; break;
    case TIDE_I64: *(int64_t *)dst = (int64_t)x; break;
    default:       *(uint8_t *)dst = (uint8_t)x; break;
    }
}

static void put_run(void *dst, int type, int64_t x, int64_t n) {
#define PUT(T) for (int64_t i = 0; i < n; i++) ((T *)dst)[i] = (T)x; break
    switch (type) {
    case TIDE_F32: PUT(float);
    case TIDE_F64: PUT(double);
    case TIDE_I32: PUT(int32_t);
    case TIDE_I64: PUT(int64_t);
    case TIDE_BOOL: x = x != 0; PUT(uint8_t);
    default:       PUT(uint8_t);
    }
#undef PUT
}

/* Counts from `x` on, beginning anew at `size`. */
static void put_counts(void *dst, int type, int64_t x, int64_t size, int64_t n) {
#define PUT(T) for (int64_t i = 0; i < n; i++) { ((T *)dst)[i] = (T)x; x = x + 1 == size ? 0 : x + 1; } break
    switch (type) {
    case TIDE_F32: PUT(float);
    case TIDE_F64: PUT(double);
    case TIDE_I32: PUT(int32_t);
    case TIDE_I64: PUT(int64_t);
    case TIDE_BOOL:
        for (int64_t i = 0; i < n; i++) { ((uint8_t *)dst)[i] = x != 0; x = x + 1 == size ? 0 : x + 1; }
        break;
    default:       PUT(uint8_t);
    }
#undef PUT
}

static void iota(char *dst, const map_step *s, int64_t element, int64_t n) {
    const flat_instr *in = s->instr;
    if (in->inner == 1) {
        put_counts(dst, s->type, element % in->size, in->size, n);
        return;
    }
    for (int64_t run; n > 0; n -= run, element += run, dst += run * s->size) {
        run = MIN2(n, in->inner - element % in->inner);
        put_run(dst, s->type, element / in->inner % in->size, run);
    }
}

static void random_numbers(const block *b, const map_step *s, int64_t n) {
    const flat_instr *in = s->instr;
    random_site site = { b->x->seed, (uint32_t)*(const int32_t *)b->at[s->src[0]], in->site, (float)in->number,
                         (float)in->scale };
    float  *dst = (float *)b->at[s->dst];
    int64_t element = b->element, first = in->src[1] >= 0 ? *(const int32_t *)b->at[s->src[1]] : 0;
    for (int64_t run; n > 0; n -= run, element += run, dst += run) {
        int64_t within = element % in->per_sample;
        run = MIN2(n, in->per_sample - within);
        s->random(dst, &site, (uint32_t)(element / in->per_sample + first), within, run);
    }
}

static void tile(const block *b, const map_step *s) {
    size_t bytes = (size_t)(b->cols * s->size);
    for (int64_t r = 0; r < b->rows; r++) memcpy(b->at[s->dst] + r * (int64_t)bytes, b->at[s->src[0]], bytes);
}

static int64_t start(const block *b, int kind) {
    return kind == FLAT_FULL ? b->element : kind == FLAT_ROW ? b->row : 0;
}

static void run_step(const block *b, const map_step *s) {
    int64_t n = count(b, s->kind);
    char *dst = b->at[s->dst], *src = b->at[s->src[0]];
    switch ((step_what)s->what) {
    case STEP_STRIP:   if (n > 0) s->strip(dst, src, b->at[s->src[1]], b->at[s->src[2]], n); break;
    case STEP_BY_ROW:  by_row(b, s); break;
    case STEP_BLOCK:   s->rows(dst, src, b->rows, b->cols); break;
    case STEP_FILL:    s->rows(dst, src, 1, n); break;
    case STEP_TILE:    tile(b, s); break;
    case STEP_COPY:    if (dst != src) memcpy(dst, src, (size_t)(n * s->size)); break;
    case STEP_ZERO:    memset(dst, 0, (size_t)s->advance[0]); break;
    case STEP_CONST:   put_number(dst, s->type, s->instr->number); break;
    case STEP_IOTA:    iota(dst, s, b->element, n); break;
    case STEP_RANDOM:  random_numbers(b, s, n); break;
    case STEP_GATHER:
        map_gather(dst, s->view, cpu_at(&s->view->place, b->task, b->scratch), s->size, start(b, s->kind), n);
        break;
    case STEP_SCATTER:
        map_scatter(s->view, cpu_at(&s->view->place, b->task, b->scratch), src, s->size, start(b, s->kind), n);
        break;
    }
}

static void locate(block *b) {
    for (int32_t i = 0; i < b->x->n_values; i++) {
        const map_value *v = &b->x->values[i];
        b->at[i] = cpu_at(&v->place, b->task, b->scratch) + b->element * v->per_element + b->row * v->per_row;
    }
}

/* From one block to the next by the same number of rows and elements. */
static void move(block *b, int64_t elements, int64_t rows) {
    for (int32_t i = 0; i < b->x->n_values; i++) {
        const map_value *v = &b->x->values[i];
        b->at[i] += elements * v->per_element + rows * v->per_row;
    }
    b->element += elements;
    b->row += rows;
}

void map_run(const void *exec, int64_t task, int thread, char *scratch) {
    const map_exec *x = exec;
    const flat_map *m = x->map;
    (void)thread;
    int64_t first = task * m->rows_per_task, last = MIN2(m->rows, first + m->rows_per_task);
    block b = { .x = x, .at = (char **)scratch, .element = first * m->cols, .row = first,
                .rows = x->block_rows, .cols = x->block_cols, .task = task, .scratch = scratch };
    locate(&b);
    for (int32_t i = 0; i < x->n_once; i++) run_step(&b, &x->steps[i]);
    int64_t end = x->linear ? last * m->cols : last;
    for (int64_t left = x->linear ? end - b.element : end - first; left > 0;) {
        if (x->linear) b.cols = MIN2(left, x->block_cols); else b.rows = MIN2(left, x->block_rows);
        for (int32_t i = x->n_once; i < x->n_steps; i++) run_step(&b, &x->steps[i]);
        left -= x->linear ? b.cols : b.rows;
        if (left > 0) move(&b, b.rows * b.cols, x->linear ? 0 : b.rows);
    }
}
