/* An explanation as a page: totals, the slowest kernels, every kernel by phase, what was not fused. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime.h"

enum { SLOWEST = 10, WIDTH = 64 };

typedef struct page {
    text out;
    const tide_explanation *e;
    double gflops, gbs, kernels_s;
} page;

static double mib(int64_t bytes) { return (double)bytes / (1 << 20); }

static bool is_product(const tide_kernel_row *k) { return k->batches > 0; }

/* 1e9 a second of `amount`, over all threads. */
static double rate(const page *p, const tide_kernel_row *k, double amount) {
    return amount / (MAX2(k->seconds, 1e-9) / MAX2(p->e->threads, 1)) * 1e-9;
}

/* ---- totals ---- */

static void add_totals(page *p) {
    const tide_explanation *e = p->e;
    const tide_memory *m = &e->memory;
    int64_t ops = 0, results = 0, maps = 0;
    double products = 0;
    for (int64_t i = 0; i < e->n_kernels; i++) {
        bool map = strcmp(e->kernels[i].kind, "map") == 0;
        ops += e->kernels[i].ops, results += e->kernels[i].results, maps += map;
        products += is_product(&e->kernels[i]) ? e->kernels[i].flops : 0;
    }
    text_add(&p->out, "%s, ", e->device);
    if (e->threads) text_add(&p->out, "%d thread%s, ", e->threads, e->threads == 1 ? "" : "s");
    text_add(&p->out, "%s: %" PRId64 " kernels in %" PRId64 " chains and %" PRId64 " phases\n",
             tide_precision_name(e->precision), e->n_kernels, e->chains, e->phases);
    if (e->lacking) text_add(&p->out, "instead:  %s; kernels that it lacks: %" PRId64 "\n", e->device_note, e->lacking);
    if (*e->precision_note) text_add(&p->out, "in f32: %s\n", e->precision_note);
    text_add(&p->out, "work:     %.4g MFLOP, of which products %.4g; %.1f MiB read, %.1f MiB written\n",
             e->flops * 1e-6, products * 1e-6,
             mib(e->bytes_read), mib(e->bytes_written));
    text_add(&p->out,
             "memory:   arena %.1f MiB (%.1f if its %" PRId64 " buffers shared nothing), variables %.1f, constants "
                                                              "%.1f, scratch %.1f\n",
             mib(m->arena), mib(e->arena_apart), e->n_buffers, mib(m->variables), mib(m->constants), mib(m->scratch));
    if (e->fused)
        text_add(&p->out, "fused:    %" PRId64 " operations in %" PRId64 " map kernels; %" PRId64 " results never "
                                                                                                  "reach memory\n", ops,
                 maps, MAX2(ops - results, 0));
    else
        text_add(&p->out, "fused:    nothing, each operation has a kernel of its own\n");
    if (!e->runs) text_add(&p->out, "measured: not\n");
    else if (!e->threads)
        text_add(&p->out, "measured: %.3f ms a run, the median of %d; kernels take %.3f ms one by one\n",
                 e->run_s * 1e3, e->runs, p->kernels_s * 1e3);
    else
        text_add(&p->out, "measured: %.3f ms a run, the median of %d; kernels take %.3f ms over all threads, %.0f %% "
                          "of their time\n",
                 e->run_s * 1e3, e->runs, p->kernels_s * 1e3, 100 * p->kernels_s / (e->run_s * e->threads));
}

/* ---- kernels ---- */

static void add_clipped(text *out, const char *words) {
    bool whole = strlen(words) <= WIDTH;
    text_add(out, "%.*s%s", whole ? WIDTH : WIDTH - 3, words, whole ? "" : "...");
}

static void add_what(page *p, const tide_kernel_row *k) {
    text *out = &p->out;
    if (is_product(k))
        text_add(out, "%s %" PRId64 " x %" PRId64 " x %" PRId64, k->kind, k->m, k->n, k->k);
    else if (k->rows)
        text_add(out, k->cols > 1 ? "map %" PRId64 " x %" PRId64 ": " : "map %" PRId64 ": ", k->rows, k->cols);
    else if (strcmp(k->kind, k->members) != 0)
        text_add(out, "%s: ", k->kind);
    if (k->batches > 1) text_add(out, ", %" PRId64 " times", k->batches);
    if (is_product(k) && *k->members) text_add(out, ", ");
    add_clipped(out, k->members);
    if (*k->variables) text_add(out, "; ");
    add_clipped(out, k->variables);
    text_add(out, "\n");
}

static void add_header(page *p) {
    const char *roof = p->gflops > 0 || p->gbs > 0 ? "   roof" : "";
    if (p->e->runs)
        text_add(&p->out, "  kernel         us      %%  GFLOP/s     GB/s%s  tasks  what\n", roof);
    else
        text_add(&p->out, "  kernel     MFLOP       MiB  tasks  what\n");
}

/* A product is held against what the machine multiplies, anything else against what its memory delivers (from cache it
 * may have more). */
static void add_roof(page *p, const tide_kernel_row *k, double gflops, double gbs) {
    double of = is_product(k) ? p->gflops : p->gbs, is = is_product(k) ? gflops : gbs;
    if (p->gflops <= 0 && p->gbs <= 0) return;
    if (of > 0)
        text_add(&p->out, "  %3.0f %%", 100 * is / of);
    else
        text_add(&p->out, "       ");
}

/* Of a GPU's kernels some have no launch: another's does their work. */
static void add_kernel(page *p, int64_t index) {
    const tide_kernel_row *k = &p->e->kernels[index];
    int64_t bytes = k->bytes_read + k->bytes_written;
    if (p->e->runs && k->seconds == 0) {
        text_add(&p->out, "%8" PRId64 "  %9s  %5s  %7s  %7s%s", index, "-", "-", "-", "-",
                 p->gflops > 0 || p->gbs > 0 ? "       " : "");
    } else if (p->e->runs) {
        double gflops = rate(p, k, k->flops), gbs = rate(p, k, (double)bytes);
        text_add(&p->out, "%8" PRId64 "  %9.1f  %5.1f  %7.1f  %7.1f", index, k->seconds * 1e6,
                 100 * k->seconds / MAX2(p->kernels_s, 1e-12),
                 gflops, gbs);
        add_roof(p, k, gflops, gbs);
    } else
        text_add(&p->out, "%8" PRId64 "  %8.2f  %8.2f", index, k->flops * 1e-6, mib(bytes));
    text_add(&p->out, "  %5" PRId64 "  ", k->tasks);
    add_what(p, k);
}

/* A product that is faster than the machine was found to be: it was measured while busy. Such shares would mislead. */
static void check_roof(page *p) {
    bool beaten = false;
    for (int64_t i = 0; i < p->e->n_kernels; i++) {
        const tide_kernel_row *k = &p->e->kernels[i];
        beaten |= is_product(k) && k->seconds > 0 && p->gflops > 0 && rate(p, k, k->flops) > 1.25 * p->gflops;
    }
    if (!beaten) return;
    text_add(&p->out,
             "roof:     not shown: products here are faster than the %.1f GFLOP/s that were measured of this machine; "
             "measure it again\n",
             p->gflops);
    p->gflops = p->gbs = 0;
}

typedef struct ranked {
    int64_t index;
    double seconds;
} ranked;

static int slowest_first(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->seconds != y->seconds) return x->seconds < y->seconds ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

static int64_t rank_from(const page *p, int64_t first, int64_t end, ranked *out) {
    for (int64_t i = first; i < end; i++) out[i - first] = (ranked){ i, p->e->kernels[i].seconds };
    qsort(out, (size_t)(end - first), sizeof *out, slowest_first);
    return end - first;
}

static void add_slowest(page *p, ranked *list) {
    int64_t count = rank_from(p, 0, p->e->n_kernels, list);
    if (!p->e->runs || count <= SLOWEST) return;
    text_add(&p->out, "\nslowest\n");
    add_header(p);
    for (int64_t i = 0; i < SLOWEST; i++) add_kernel(p, list[i].index);
}

static void add_phase(page *p, int64_t first, int64_t end, ranked *list) {
    double seconds = 0;
    for (int64_t i = first; i < end; i++) seconds += p->e->kernels[i].seconds;
    text_add(&p->out, "\nphase %" PRId64 ": %" PRId64 " kernel%s", p->e->kernels[first].phase + 1, end - first,
             end - first == 1 ? "" : "s");
    if (p->e->runs) text_add(&p->out, ", %.3f ms, %.1f %%", seconds * 1e3, 100 * seconds / MAX2(p->kernels_s, 1e-12));
    text_add(&p->out, "\n");
    add_header(p);
    int64_t count = rank_from(p, first, end, list);
    for (int64_t i = 0; i < count; i++) add_kernel(p, list[i].index);
}

/* ---- what is apart ---- */

static bool told(const tide_explanation *e, int64_t i) {
    for (int64_t j = 0; j < i; j++)
        if (strcmp(e->apart[j].why, e->apart[i].why) == 0) return true;
    return false;
}

static void add_apart(page *p) {
    const tide_explanation *e = p->e;
    if (e->n_apart) text_add(&p->out, "\nnot fused: values that one map kernel writes for another\n");
    for (int64_t i = 0; i < e->n_apart; i++) {
        int64_t count = 0, bytes = 0, largest = i;
        if (told(e, i)) continue;
        for (int64_t j = i; j < e->n_apart; j++) {
            if (strcmp(e->apart[j].why, e->apart[i].why) != 0) continue;
            count++, bytes += e->apart[j].bytes;
            if (e->apart[j].bytes > e->apart[largest].bytes) largest = j;
        }
        const tide_apart_row *row = &e->apart[largest];
        text_add(&p->out, "  %3" PRId64 ", %.2f MiB: %s; the largest: %s, kernel %" PRId64 " to %" PRId64 "\n", count,
                 mib(bytes), row->why,
                 row->value, row->from, row->to);
    }
}

char *tide_explanation_text(const tide_explanation *e, double gflops, double gbs) {
    if (!e) return NULL;
    page p = { .e = e, .gflops = gflops, .gbs = gbs };
    ranked *list = malloc(sizeof *list * (size_t)(e->n_kernels + 1));
    if (!list) return NULL;
    for (int64_t i = 0; i < e->n_kernels; i++) p.kernels_s += e->kernels[i].seconds;
    add_totals(&p);
    check_roof(&p);
    add_slowest(&p, list);
    for (int64_t first = 0, end; first < e->n_kernels; first = end) {
        for (end = first; end < e->n_kernels && e->kernels[end].phase == e->kernels[first].phase;) end++;
        add_phase(&p, first, end, list);
    }
    add_apart(&p);
    free(list);
    if (!p.out.failed) return p.out.data;
    text_free(&p.out);
    return NULL;
}
