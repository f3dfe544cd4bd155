/* Rows as CSV. Headings have the unit; per area stand ohm cm2 and uF/cm2. */
#include "table.h"

#include <math.h>

#include "eis/check/checked.h"
#include "eis/check/faults.h"
#include "line.h"
#include "screen.h"

typedef struct heading {
    const char *name, *unit, *area_unit;
} heading;

static const heading quantities[BATCH_QUANTITIES] = {
    { "TER", "ohm", "ohm cm2" }, { "TEC", "F", "uF/cm2" }, { "n1", "s", NULL }, { "d1", "s", NULL }
};

/* ---- cells ---- */

static bool is_numeric(const char *s) {
    char *end;
    return isfinite(num_parse(s, &end)) && *s && *end == 0;
}

void table_cell(const char *s, text *out) {
    bool quoted = strpbrk(s, ",;\"\n\r") != NULL || is_numeric(s);
    if (quoted) text_add(out, "\"");
    for (; *s; s++) text_add(out, *s == '"' ? "\"\"" : "%c", *s);
    if (quoted) text_add(out, "\"");
}

void table_number(double v, text *out) {
    char number[32];
    if (!isfinite(v)) return;
    num_format(number, v, false);
    text_add(out, "%s", number);
}

void table_time(const char *s, text *out) {
    if (is_numeric(s) && !s[strspn(s, "0123456789+-.eE")]) /* "0x10" is a word */ table_number(num_parse(s, NULL), out);
    else table_cell(s, out);
}

/* ---- columns ---- */

static void put_unit(const char *unit, text *out) {
    if (*unit) text_add(out, "_");
    for (; *unit; unit++) text_add(out, "%c", *unit == ' ' || *unit == '/' ? '_' : *unit);
}

/* Behind a value stands its standard error; of a screening the interval. */
static void put_heading(const heading *h, bool screened, text *out) {
    static const char *const behind[2][4] = { { "", "_stderr", NULL }, { "", "_low95", "_high95", NULL } };
    const char *const units[] = { h->unit, h->area_unit };
    for (int k = 0; k < 2 && units[k]; k++)
        for (const char *const *end = behind[screened]; *end; end++) {
            text_add(out, ",%s", h->name), put_unit(units[k], out);
            text_add(out, "%s", *end);
        }
}

static void put_number(double v, text *out) { text_add(out, ","), table_number(v, out); }

static void put_interval(const batch_value *v, double by, text *out) {
    put_number(v->value * by, out), put_number(v->low95 * by, out), put_number(v->high95 * by, out);
}

static void put_value(const heading *h, const batch_value *v, bool screened, text *out) {
    static const batch_value none = { .value = NAN, .error = NAN, .area_value = NAN, .area_error = NAN };
    if (!v) v = &none;
    if (screened) put_interval(v, 1, out);
    else put_number(v->value, out), put_number(v->error, out);
    if (h->area_unit && screened) put_interval(v, v->area_value / v->value, out);
    else if (h->area_unit) put_number(v->area_value, out), put_number(v->area_error, out);
}

static bool is_of(const batch_value *v, const heading *h) {
    return strcmp(v->name, h->name) == 0 && strcmp(v->unit, h->unit) == 0;
}

typedef struct headings {
    heading *of;
    int64_t count;
    int quantities; /* the first so many */
    bool screened;
} headings;

static const char *area_unit_of(slot_role role) {
    double scale;
    return line_area_unit(fit_per_area(role, 1, 1, 1).unit, &scale);
}

static void of_circuit(const equivalent *e, arena *memory, headings *out) {
    out->of = arena_new(memory, heading, e->parameters);
    for (int k = 0; k < e->parameters; k++) {
        char name[PARAMETER_NAME];
        const circuit_parameter *p = &e->parameter[k];
        const element_slot *slot = &e->part[p->part].kind->slot[p->slot];
        parameter_name(e, k, name);
        out->of[out->count++] = (heading){ arena_printf(memory, "%s", name), slot->unit, area_unit_of(slot->role) };
    }
}

static void of_screening(arena *memory, headings *out) {
    out->of = arena_new(memory, heading, QUANTITIES_CELL);
    for (int q = CELL_ARCS; q < QUANTITIES_CELL; q++)
        out->of[out->count++] =
            (heading){ cell_quantities[q].name, cell_quantities[q].unit, area_unit_of(screen_role(q)) };
    out->quantities = CELL_ARCS, out->screened = true;
}

/* Whether an area has a part in a parameter is known from a row that has one. */
static void add_heading(headings *h, const batch_value *v) {
    int64_t i = 0;
    while (i < h->count && !is_of(v, &h->of[i])) i++;
    if (i == h->count) h->of[h->count++] = (heading){ v->name, v->unit, NULL };
    if (v->area_unit) h->of[i].area_unit = v->area_unit;
}

static void of_rows(const batch_rows *rows, arena *memory, headings *out) {
    int64_t most = 0;
    for (int64_t i = 0; i < rows->count; i++) most += rows->row[i].parameters;
    out->of = arena_new(memory, heading, most);
    for (int64_t i = 0; i < rows->count; i++)
        for (int64_t k = 0; k < rows->row[i].parameters; k++) add_heading(out, &rows->row[i].parameter[k]);
}

static const batch_value *parameter_of(const batch_row *r, const heading *h) {
    for (int64_t i = 0; i < r->parameters; i++)
        if (is_of(&r->parameter[i], h)) return &r->parameter[i];
    return NULL;
}

/* ---- rows ---- */

static void put_names(const batch_row *r, text *out) {
    const char *const names[] = { r->file, r->sweep, r->well, r->condition, r->donor };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) table_cell(names[i], out), text_add(out, ",");
    table_time(r->time, out);
    text_add(out, ","), table_number(r->area_cm2, out);
}

static void put_check(const batch_row *r, text *out) {
    if (r->spectrum) text_add(out, ",%lld,", (long long)r->spectrum->count);
    else text_add(out, ",,");
    if (!*r->reason && !r->screened) text_add(out, "%lld", (long long)r->points);
    text_add(out, ",%s,", r->checked ? check_verdict_name(r->data) : "");
    for (int64_t i = 0; i < r->faults; i++) text_add(out, "%s%s", i ? " " : "", eis_fault_name(r->fault[i]));
    text_add(out, ","), table_number(r->kk_rmse, out);
    text_add(out, ","), table_number(r->noise, out);
}

static void put_states(const batch_row *r, eis_fit_state from, eis_fit_state to, text *out) {
    bool first = true;
    for (int64_t i = 0; i < r->parameters; i++) {
        if (r->parameter[i].state < from || r->parameter[i].state > to) continue;
        text_add(out, "%s%s", first ? "" : " ", r->parameter[i].name), first = false;
    }
}

static void put_fit(const batch_row *r, text *out) {
    text_add(out, ","), table_cell(r->circuit, out);
    text_add(out, ",%s,", *r->reason || r->screened ? "" : fit_verdict_name(r->verdict)), table_number(r->chi2, out);
    text_add(out, ","), put_states(r, EIS_PARAMETER_AT_LOW, EIS_PARAMETER_AT_HIGH, out);
    text_add(out, ","), put_states(r, EIS_PARAMETER_OPEN, EIS_PARAMETER_OPEN, out);
    text_add(out, ","), table_cell(r->reason, out);
    text_add(out, ","), table_cell(r->note, out);
}

static void put_row(const batch_row *r, const headings *h, text *out) {
    put_names(r, out);
    put_check(r, out);
    put_fit(r, out);
    for (int k = 0; k < h->quantities; k++)
        put_value(&quantities[k], r->of[k].name ? &r->of[k] : NULL, h->screened, out);
    for (int64_t k = 0; k < h->count; k++) put_value(&h->of[k], parameter_of(r, &h->of[k]), h->screened, out);
    text_add(out, "\n");
}

void table_rows(const batch_rows *rows, const equivalent *circuit, arena *memory, text *out) {
    headings h = { .quantities = BATCH_QUANTITIES };
    if (rows->screened) of_screening(memory, &h);
    else if (circuit) of_circuit(circuit, memory, &h);
    else of_rows(rows, memory, &h);
    text_add(out,
             "file,sweep,well,condition,donor,time,area_cm2,points,fitted,data,flags,kk_rmse,noise,circuit,verdict,"
             "reduced_chi2,on_bounds,open,reason,note");
    for (int k = 0; k < h.quantities; k++) put_heading(&quantities[k], h.screened, out);
    for (int64_t k = 0; k < h.count; k++) put_heading(&h.of[k], h.screened, out);
    text_add(out, "\n");
    for (int64_t i = 0; i < rows->count; i++) put_row(&rows->row[i], &h, out);
}
