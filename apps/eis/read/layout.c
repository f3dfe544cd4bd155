/* From names of columns to the ones that are read: `column` first, else the plain impedance, else the first. */
#include "layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

void header_of(const row_cells *cells, int64_t line, header *out) {
    out->count = cells->count, out->line = line;
    for (int i = 0; i < cells->count; i++) out->column[i] = column_of(cells->cell[i]);
}

void header_list(const header *h, char *out, size_t size) {
    size_t used = 0;
    *out = 0;
    for (int i = 0; i < h->count && used + 8 < size; i++) {
        int n = snprintf(out + used, size - used, "%s%.*s", i ? ", " : "", (int)MIN2(h->column[i].name.length, 40),
                         h->column[i].name.text);
        used += (size_t)MAX2(n, 0);
    }
    if (used + 8 >= size && size > 16) strcpy(out + size - 5, " ...");
}

/* ---- units ---- */

tide_status units_wanted(reading *r, unit_kind kind, unit *out, bool *given) {
    const char *at = r->options->units;
    *given = false;
    for (size_t length; *at; at += length + (at[length] == ',')) {
        length = strcspn(at, ",");
        unit u = unit_of((slice){ at, (int64_t)length });
        if (u.kind == UNIT_NONE || u.kind == UNIT_UNCLEAR)
            return fail_at(r->failure, TIDE_EINVAL, NULL, 0, "units",
                           "`units` are such as kHz, mohm, deg or rad, separated by commas, in their own case; not "
                           "'%.*s'", (int)length, at);
        if (u.kind == kind) *out = u, *given = true;
    }
    return TIDE_OK;
}

static bool place_of(reading *r, const header *h, int at, place *out, bool *known) {
    const column *c = &h->column[at];
    unit          wanted;
    bool          given;
    *out   = (place){ at, 1, c->log };
    *known = c->unit.kind == role_unit(c->role) && c->unit.kind != UNIT_NONE;
    if (units_wanted(r, role_unit(c->role), &wanted, &given) != TIDE_OK) return false;
    if (given) out->factor = wanted.factor, *known = true;
    else if (c->unit.kind == UNIT_UNCLEAR) {
        reading_fail(r, h->line, "units", "the unit in \"%.*s\" can be milli or mega: `units` says which (mHz, MHz, "
                                          "mohm, Mohm)", (int)MIN2(c->name.length, 60), c->name.text);
        return false;
    } else if (*known) out->factor = c->unit.factor;
    if (*known && c->unit.per_area)
        reading_note(r, "%.*s is per area: its numbers are ohm cm2, not ohm", (int)MIN2(c->name.length, 40),
                     c->name.text);
    return true;
}

/* ---- by what is asked for ---- */

static bool same_name(slice a, const char *b, size_t length) {
    return (size_t)a.length == length && strncasecmp(a.text, b, length) == 0;
}

/* The column of that name or number; -1: there is none. */
static int column_named(const header *h, const char *word, size_t length) {
    slice trimmed = slice_trim((slice){ word, (int64_t)length });
    char *end;
    long  number = strtol(trimmed.text, &end, 10);
    if (trimmed.length > 0 && end == trimmed.text + trimmed.length && number > 0)
        return number <= CELLS_MOST ? (int)number - 1 : -1;
    for (int i = 0; i < h->count; i++)
        if (same_name(h->column[i].name, trimmed.text, (size_t)trimmed.length)) return i;
    return -1;
}

static int words_wanted(const reading *r) {
    int count = *r->options->column != 0;
    for (const char *c = r->options->column; *c; c++) count += *c == ',';
    return count;
}

static bool all_numbers(const char *list) { return list[strspn(list, "0123456789, ")] == 0; }

static const char *word_at(const char *list, int k, size_t *length) {
    for (; k > 0; k--) list += strcspn(list, ",") + 1;
    *length = strcspn(list, ",");
    return list;
}

/* Roles of the three named columns: f, then re and im, or magnitude and phase where the names say so. */
static found take_three(reading *r, const header *h, const int at[3], layout *out) {
    static const role cartesian[3] = { ROLE_FREQUENCY, ROLE_RE, ROLE_IM }, polar[3] = { ROLE_FREQUENCY, ROLE_MOD,
                                                                                        ROLE_PHASE };
    place *const places[3] = { &out->f, &out->re, &out->im };
    header       own       = { .count = CELLS_MOST, .line = h->line };
    out->polar = at[2] < h->count && h->column[at[2]].role == ROLE_PHASE;
    for (int k = 0; k < 3; k++) {
        if (at[k] < h->count) own.column[at[k]] = h->column[at[k]];
        own.column[at[k]].role = out->polar ? polar[k] : cartesian[k];
        if (!place_of(r, &own, at[k], places[k], &out->unit_known[k])) return FOUND_FAULT;
    }
    out->minus      = own.column[at[2]].minus;
    out->phase_bare = out->polar && !out->unit_known[2];
    if (out->phase_bare) out->im.factor = unit_of((slice){ "deg", 3 }).factor;
    out->least      = 1 + MAX2(at[0], MAX2(at[1], at[2]));
    return FOUND_ALL;
}

static const layout nothing = { .f = { -1 }, .re = { -1 }, .im = { -1 }, .sigma_re = { -1 }, .sigma_im = { -1 },
                                .phase = { -1 }, .sweep = -1 };

static found three_named(reading *r, const header *h, layout *out) {
    int at[3];
    for (int k = 0; k < 3; k++) {
        size_t      length;
        const char *word = word_at(r->options->column, k, &length);
        at[k] = column_named(h, word, length);
        if (at[k] < 0 || (h->count && at[k] >= h->count)) return FOUND_NONE;
    }
    return take_three(r, h, at, out);
}

found layout_numbers(reading *r, const header *h, layout *out) {
    *out = nothing;
    return words_wanted(r) == 3 && all_numbers(r->options->column) ? three_named(r, h, out) : FOUND_NONE;
}

/* ---- by name ---- */

/* The first column with this role of this impedance; *again: the next one, -1. */
static int find_role(const header *h, role which, const char *object, int *again) {
    int at = -1;
    *again = -1;
    for (int i = h->count - 1; i >= 0; i--)
        if (h->column[i].role == which && (!object || strcmp(h->column[i].object, object) == 0)) *again = at, at = i;
    return at;
}

typedef struct pair { int re, im; int re_again, im_again; bool polar; } pair;

static bool find_pair(const header *h, const char *object, bool polar, pair *out) {
    out->polar = polar;
    out->re    = find_role(h, polar ? ROLE_MOD : ROLE_RE, object, &out->re_again);
    out->im    = find_role(h, polar ? ROLE_PHASE : ROLE_IM, object, &out->im_again);
    return out->re >= 0 && out->im >= 0;
}

/* Re and Im before magnitude and phase; Z before others, these in the order of their columns. */
static bool find_impedance(const header *h, pair *out, const char **object) {
    for (int polar = 0; polar < 2; polar++) {
        *object = "";
        if (find_pair(h, "", polar, out)) return true;
        for (int i = 0; i < h->count; i++) {
            *object = h->column[i].object;
            if (h->column[i].role == (polar ? ROLE_MOD : ROLE_RE) && find_pair(h, *object, polar, out)) return true;
        }
    }
    return false;
}

static const char *object_name(const char *object, char buffer[OBJECT_SIZE + 2]) {
    snprintf(buffer, OBJECT_SIZE + 2, "Z%s", object);
    return buffer;
}

/* One word: a column of the impedance that is meant, or its name ("Zce"). */
static bool find_wanted(reading *r, const header *h, pair *out, const char **object) {
    const char *word = r->options->column;
    char        name[OBJECT_SIZE + 2];
    int         at = column_named(h, word, strlen(word));
    if (at >= h->count) at = -1;
    for (int i = 0; i < h->count && at < 0; i++)
        if (h->column[i].role >= ROLE_RE && h->column[i].role <= ROLE_PHASE
            && strcasecmp(object_name(h->column[i].object, name), word) == 0)
            at = i;
    if (at < 0) return false;
    *object = h->column[at].object;
    bool polar = h->column[at].role == ROLE_MOD || h->column[at].role == ROLE_PHASE;
    return find_pair(h, *object, polar, out) || find_pair(h, *object, !polar, out);
}

static found twice(reading *r, const header *h, int first, int second) {
    if (second < 0) return FOUND_ALL;
    const column *c = &h->column[first], *d = &h->column[second];
    bool same = same_name(c->name, d->name.text, (size_t)d->name.length);
    char name[sizeof r->failure->column];
    snprintf(name, sizeof name, "%.*s", (int)MIN2(c->name.length, 60), c->name.text);
    reading_fail(r, h->line, name,
                 "columns %d and %d are both %s%.*s; `column` f,re,im chooses by number, as `column` %s", first + 1,
                 second + 1, same ? "called " : "the ", same ? (int)MIN2(c->name.length, 60) : 40,
                 same ? c->name.text : role_name(c->role), "1,3,4");
    return FOUND_FAULT;
}

static void note_others(reading *r, const header *h, const char *object) {
    char list[300] = "", name[OBJECT_SIZE + 2], word[OBJECT_SIZE + 40];
    for (int i = 0; i < h->count; i++) {
        const column *c = &h->column[i];
        pair          p;
        bool first = c->role == ROLE_RE && find_pair(h, c->object, false, &p) && p.re == i;
        if (!first || strcmp(c->object, object) == 0) continue;
        snprintf(word, sizeof word, "%s%s (columns %d and %d)", *list ? ", " : "", object_name(c->object, name),
                 p.re + 1, p.im + 1);
        if (strlen(list) + strlen(word) < sizeof list) strcat(list, word);
    }
    if (*list)
        reading_note(r, "%s was read; the table also has %s: `column` chooses", object_name(object, name), list);
}

/* Both parts, and units as the frequency's and these columns' names have them. */
static found take_pair(reading *r, const header *h, int f, const pair *p, layout *out) {
    const column *im = &h->column[p->im];
    int           again, at;
    bool          known;
    if (!place_of(r, h, f, &out->f, &out->unit_known[0]) || !place_of(r, h, p->re, &out->re, &out->unit_known[1])
        || !place_of(r, h, p->im, &out->im, &out->unit_known[2]))
        return FOUND_FAULT;
    out->polar = p->polar, out->minus = im->minus, out->phase_bare = p->polar && !out->unit_known[2];
    if (out->phase_bare) out->im.factor = unit_of((slice){ "deg", 3 }).factor;
    at = find_role(h, ROLE_PHASE, im->object, &again);
    if (!p->polar && at >= 0) out->phase = (place){ at, h->column[at].minus ? -1 : 1, false };
    at = find_role(h, ROLE_SIGMA_RE, NULL, &again);
    if (at >= 0 && !place_of(r, h, at, &out->sigma_re, &known)) return FOUND_FAULT;
    at = find_role(h, ROLE_SIGMA_IM, NULL, &again);
    if (at >= 0 && !place_of(r, h, at, &out->sigma_im, &known)) return FOUND_FAULT;
    out->sweep = find_role(h, ROLE_SWEEP, NULL, &again);
    out->least = 1 + MAX2(f, MAX2(p->re, p->im));
    return FOUND_ALL;
}

found layout_find(reading *r, const header *h, layout *out) {
    const char *object = "";
    pair        p;
    int         again, f = find_role(h, ROLE_FREQUENCY, NULL, &again), words = words_wanted(r);
    *out = nothing;
    if (words == 3) return three_named(r, h, out);
    bool any = words ? find_wanted(r, h, &p, &object) : find_impedance(h, &p, &object);
    if (f < 0 || !any) return f >= 0 || any ? FOUND_PART : FOUND_NONE;
    if (twice(r, h, f, again) != FOUND_ALL || twice(r, h, p.re, p.re_again) != FOUND_ALL
        || twice(r, h, p.im, p.im_again) != FOUND_ALL)
        return FOUND_FAULT;
    if (!words) note_others(r, h, object);
    return take_pair(r, h, f, &p, out);
}

bool layout_units(const row_cells *cells, layout *l) {
    place *const places[3] = { &l->f, &l->re, &l->im };
    unit         found[3];
    for (int k = 0; k < 3; k++) {
        if (places[k]->at >= cells->count) return false;
        found[k] = unit_of(cells->cell[places[k]->at]);
        if (found[k].kind == UNIT_NONE || found[k].kind == UNIT_UNCLEAR) return false;
    }
    for (int k = 0; k < 3; k++)
        if (!l->unit_known[k]) places[k]->factor = found[k].factor;
    l->phase_bare = false;
    return true;
}
