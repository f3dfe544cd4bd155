/* Which numbers a page has room for, and in which unit a column of them is read. */
#include <math.h>
#include <stdlib.h>

#include "draw/chart.h"
#include "page.h"

static const double determined = 0.5; /* an error below this share of the value */

/* ---- values ---- */

static const batch_value *find(const batch_row *r, const char *name) {
    for (int k = 0; k < BATCH_QUANTITIES; k++)
        if (r->of[k].name && !strcmp(r->of[k].name, name)) return &r->of[k];
    for (int64_t k = 0; k < r->parameters; k++)
        if (!strcmp(r->parameter[k].name, name)) return &r->parameter[k];
    return NULL;
}

static const char *unit_of(const batch_value *v, bool per_area) { return per_area ? v->area_unit : v->unit; }

bool page_value_of(const batch_row *r, const page_column *c, page_value *out) {
    const batch_value *v = *r->reason ? NULL : find(r, c->name);
    const char *unit = v ? unit_of(v, c->per_area) : NULL;
    if (!unit || strcmp(unit, c->unit)) return false;
    *out = (page_value){ c->per_area ? v->area_value : v->value, c->per_area ? v->area_error : v->error, v->state };
    return isfinite(out->value);
}

/* ---- columns ---- */

/* As in groups.csv: where any row has an area, those without one are not compared with it. */
static const batch_value *any_per_area(const batch_rows *rows, const char *name) {
    for (int64_t i = 0; i < rows->count; i++) {
        const batch_value *v = *rows->row[i].reason ? NULL : find(&rows->row[i], name);
        if (v && v->area_unit && isfinite(v->area_value)) return v;
    }
    return NULL;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* That of the middle value; what is in micro, or without a unit, is left so. */
static void choose_prefix(const batch_rows *rows, page_column *c, text *out) {
    double *size = malloc(sizeof *size * (size_t)(rows->count + 1));
    int64_t count = 0;
    page_value v;
    c->thousand = 1, c->prefix = "";
    out->failed = out->failed || !size;
    for (int64_t i = 0; size && i < rows->count; i++)
        if (page_value_of(&rows->row[i], c, &v) && v.value != 0) size[count++] = fabs(v.value);
    if (count) qsort(size, (size_t)count, sizeof *size, by_size);
    if (count && *c->unit && *c->unit != 'u') c->thousand = si_thousand(size[count / 2], 4, &c->prefix);
    free(size);
}

/* Most of the answers determine it, or it is one that is always asked for. */
static bool belongs(const batch_rows *rows, const page_column *c, bool always) {
    int64_t have = 0, good = 0;
    page_value v;
    for (int64_t i = 0; i < rows->count; i++) {
        if (!page_value_of(&rows->row[i], c, &v)) continue;
        have++, good += v.state == EIS_PARAMETER_FREE && v.error <= determined * fabs(v.value);
    }
    return have && (always || 2 * good >= rows->answered);
}

static void consider(const batch_rows *rows, const batch_value *v, bool always, page_columns *out, text *failed) {
    const batch_value *per_area = any_per_area(rows, v->name);
    page_column c = { .name = v->name, .per_area = per_area, .unit = unit_of(per_area ? per_area : v, per_area) };
    if (out->count == PAGE_COLUMNS || !c.unit || !belongs(rows, &c, always)) return;
    choose_prefix(rows, &c, failed);
    out->of[out->count++] = c;
}

void page_columns_of(const batch_rows *rows, page_columns *out, text *failed) {
    int64_t first = 0;
    out->count = 0;
    while (first < rows->count && *rows->row[first].reason) first++;
    if (first == rows->count) return;
    const batch_row *r = &rows->row[first];
    for (int k = 0; k < BATCH_QUANTITIES; k++)
        if (r->of[k].name) consider(rows, &r->of[k], k <= BATCH_TEC, out, failed);
    for (int64_t k = 0; k < r->parameters; k++) consider(rows, &r->parameter[k], false, out, failed);
}

/* ---- as text ---- */

void page_column_title(const page_column *c, text *out) {
    text_add_escaped(out, c->name);
    if (!*c->unit) return;
    text_add(out, " (%s", c->prefix);
    text_add_escaped(out, c->unit);
    text_add(out, ")");
}

void page_column_value(const batch_row *r, const page_column *c, text *out) {
    page_value v;
    if (!page_value_of(r, c, &v)) {
        text_add(out, c->per_area && !*r->reason && find(r, c->name) ? "<small>no area</small>" : "-");
        return;
    }
    double value = v.value / c->thousand, error = v.error / c->thousand;
    if (v.state == EIS_PARAMETER_OPEN || error > fabs(value)) text_add(out, "<small>not determined</small>");
    else if (v.state == EIS_PARAMETER_AT_LOW || v.state == EIS_PARAMETER_AT_HIGH)
        text_add(out, "<b class=\"bad\">%.4g, a bound</b>", value);
    else if (error > 0) {
        int decimals = (int)fmin(fmax(1 - floor(log10(error)), 0), 9);
        text_add(out, "%.*f &#177; %.*f", decimals, value, decimals, error);
    } else text_add(out, "%.4g", value);
}
