/* Cuts points into sweeps, names them, and takes the ones that are wanted. */
#include "sweeps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- where the frequency starts again ---- */

static int step(const point *p) { return (p[1].freq_hz > p[0].freq_hz) - (p[1].freq_hz < p[0].freq_hz); }

/* Points from `p` on that go in one direction, of `count`. A frequency measured twice where the direction turns belongs
 * to both. */
static int64_t run_length(const point *p, int64_t count) {
    int direction = 0;
    for (int64_t i = 0; i + 1 < count; i++) {
        int here = step(p + i);
        if (here && direction && here != direction) return i > 1 && !step(p + i - 1) ? i : i + 1;
        if (here) direction = here;
    }
    return count;
}

static double span(const point *p, int64_t count) {
    double low = INFINITY, high = 0;
    for (int64_t i = 0; i < count; i++) low = fmin(low, p[i].freq_hz), high = fmax(high, p[i].freq_hz);
    return log(high / low);
}

/* Sweeps are runs of five points and more. A shorter one at the end is a sweep that was broken off if it begins far
 * away; any other one says that the points are in no order. */
static bool is_ordered(const point *p, int64_t count) {
    for (int64_t at = 0, n; at < count; at += n) {
        n = run_length(p + at, count - at);
        bool far = at > 0 && fabs(log(p[at].freq_hz / p[at - 1].freq_hz)) > 0.5 * span(p, count);
        if (n < LEAST_POINTS && !(at + n == count && far)) return n == count;
    }
    return true;
}

typedef struct part { int64_t first, count; char label[LABEL_SIZE]; } part;
typedef struct parts { part *part; int64_t count, room; } parts;

static tide_status add_part(reading *r, parts *all, int64_t first, int64_t count, const char *label) {
    if (all->count >= MOST_SWEEPS)
        return reading_fail(r, 0, NULL, "more than %lld sweeps; as many are read", (long long)MOST_SWEEPS);
    if (all->count == all->room) {
        int64_t room  = MAX2(2 * all->room, 16);
        part   *grown = realloc(all->part, (size_t)room * sizeof *grown);
        if (!grown) return fail(r->failure, TIDE_ENOMEM, "out of memory for %s", r->path);
        all->part = grown, all->room = room;
    }
    part *p = &all->part[all->count++];
    *p = (part){ .first = first, .count = count };
    snprintf(p->label, sizeof p->label, "%s", label);
    return TIDE_OK;
}

static tide_status cut_block(reading *r, parts *all, int64_t first, int64_t count, const char *label) {
    const point *p      = r->point + first;
    tide_status  status = TIDE_OK;
    if (!is_ordered(p, count)) {
        reading_note(r, "from line %lld on the frequencies are in no order: all %lld points were read as one sweep",
                     (long long)p->line, (long long)count);
        return add_part(r, all, first, count, label);
    }
    for (int64_t at = 0, n; at < count && status == TIDE_OK; at += n) {
        n      = run_length(p + at, count - at);
        status = add_part(r, all, first + at, n, label);
    }
    return status;
}

static tide_status cut_all(reading *r, parts *all) {
    tide_status status = TIDE_OK;
    for (int64_t at = 0, n; at < r->count && status == TIDE_OK; at += n) {
        int64_t sweep = r->point[at].sweep;
        for (n = 1; at + n < r->count && r->point[at + n].sweep == sweep;) n++;
        status = cut_block(r, all, at, n, sweep > 0 ? r->label[sweep - 1] : "");
    }
    return status;
}

/* ---- names ---- */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool same_label(const parts *all, int64_t i) {
    for (int64_t k = 0; k < all->count; k++)
        if (k != i && strcmp(all->part[k].label, all->part[i].label) == 0) return true;
    return false;
}

/* The file's own name for it where it has one and no other sweep has the same; else the file's name and a number. */
static char *name_of(const reading *r, const parts *all, int64_t i) {
    const char *label = all->part[i].label;
    text name = { 0 };
    if (all->count == 1) text_add(&name, "%s", r->path);
    else if (!*label) text_add(&name, "%s#%lld", base_name(r->path), (long long)i + 1);
    else if (same_label(all, i)) text_add(&name, "%s #%lld", label, (long long)i + 1);
    else text_add(&name, "%s", label);
    if (name.failed) text_free(&name);
    return name.data;
}

/* ---- `sweep` ---- */

static bool is_number(const char *at, size_t length, int64_t *value) {
    char *end;
    *value = strtoll(at, &end, 10);
    return length > 0 && end == at + length && *at >= '0' && *at <= '9';
}

/* "3", "2-5", "4-", or the name, or the words that it begins with. */
static bool word_takes(const char *word, size_t length, int64_t number, const char *name) {
    const char *dash  = memchr(word, '-', length);
    int64_t     first = 0, last = number;
    size_t      left  = dash ? (size_t)(dash - word) : length;
    if (is_number(word, left, &first) && (!dash || dash + 1 == word + length
                                          || is_number(dash + 1, length - left - 1, &last)))
        return number >= first && number <= (dash ? last : first);
    return strncmp(name, word, length) == 0 && (name[length] == 0 || name[length] == ' ');
}

bool sweeps_wanted(const char *list, int64_t number, const char *name) {
    if (!*list) return true;
    for (size_t length; *list; list += length + (list[length] == ',')) {
        list += strspn(list, " ");
        length = strcspn(list, ",");
        if (length && word_takes(list, length, number, name)) return true;
    }
    return false;
}

/* ---- spectra ---- */

static tide_status fill(reading *r, const part *of, char *name, eis_spectrum *out) {
    int64_t *line = malloc((size_t)of->count * sizeof *line);
    eis_z   *sigma = r->has_sigma ? malloc((size_t)of->count * sizeof *sigma) : NULL;
    *out = (eis_spectrum){ .count = of->count, .name = name, .sigma = sigma, .line = line };
    out->freq_hz = malloc((size_t)of->count * sizeof *out->freq_hz);
    out->z       = malloc((size_t)of->count * sizeof *out->z);
    if (!line || !name || (r->has_sigma && !sigma) || !out->freq_hz || !out->z)
        return fail(r->failure, TIDE_ENOMEM, "out of memory for %s", r->path);
    for (int64_t i = 0; i < of->count; i++) {
        const point *p = &r->point[of->first + i];
        out->freq_hz[i] = p->freq_hz, out->z[i] = p->z, line[i] = p->line;
        if (sigma) sigma[i] = p->sigma;
    }
    return TIDE_OK;
}

static void drop_partial_sigma(reading *r) {
    for (int64_t i = 0; i < r->count && r->has_sigma; i++) r->has_sigma = r->point[i].sigma.re > 0;
}

static bool is_short(reading *r, const parts *all, const part *p, const char *name) {
    if (p->count >= LEAST_POINTS || all->count == 1) return false;
    reading_note(r, "%s has %lld points and was left out: at least %d are needed", name ? name : "a sweep",
                 (long long)p->count, LEAST_POINTS);
    return true;
}

static tide_status check_count(reading *r, const part *p) {
    if (p->count < LEAST_POINTS)
        return reading_fail(r, 0, NULL, "%lld points; at least %d are needed", (long long)p->count, LEAST_POINTS);
    if (p->count > MOST_POINTS)
        return reading_fail(r, 0, NULL, "%lld points in one sweep; at most %lld are taken: thin them",
                            (long long)p->count, (long long)MOST_POINTS);
    return TIDE_OK;
}

static tide_status take(reading *r, const parts *all, eis_spectra *out) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; i < all->count && status == TIDE_OK; i++) {
        char *name = name_of(r, all, i);
        if (!name || is_short(r, all, &all->part[i], name)
            || !sweeps_wanted(r->options->sweep, i + 1, all->count == 1 ? base_name(name) : name)) {
            if (!name) status = fail(r->failure, TIDE_ENOMEM, "out of memory for %s", r->path);
            free(name);
            continue;
        }
        status = check_count(r, &all->part[i]);
        if (status == TIDE_OK) status = fill(r, &all->part[i], name, &out->spectrum[out->count++]);
        else free(name);
    }
    return status;
}

static tide_status none_taken(reading *r, const parts *all) {
    text list = { 0 };
    if (!*r->options->sweep)
        return reading_fail(r, 0, NULL, "%lld sweeps, none of them with %d points, which are needed",
                            (long long)all->count, LEAST_POINTS);
    for (int64_t i = 0; i < MIN2(all->count, 5); i++) {
        char *name = name_of(r, all, i);
        text_add(&list, "%s%lld (%.80s)", i ? ", " : "", (long long)i + 1, name ? name : "");
        free(name);
    }
    tide_status status =
        fail_at(r->failure, TIDE_EDATA, r->path, 0, "sweep", "%s: `sweep` %.60s is none of its %lld sweeps: %s%s",
                r->path, r->options->sweep, (long long)all->count, list.failed ? "" : list.data,
                all->count > 5 ? ", ..." : "");
    text_free(&list);
    return status;
}

tide_status sweeps_take(reading *r, eis_spectra *out) {
    parts       all    = { 0 };
    tide_status status = cut_all(r, &all);
    if (status == TIDE_OK) out->spectrum = calloc((size_t)MAX2(all.count, 1), sizeof *out->spectrum);
    if (status == TIDE_OK && !out->spectrum) status = fail(r->failure, TIDE_ENOMEM, "out of memory for %s", r->path);
    drop_partial_sigma(r);
    if (status == TIDE_OK) status = take(r, &all, out);
    if (status == TIDE_OK && out->count == 0) status = none_taken(r, &all);
    free(all.part);
    return status;
}
