#include "report.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <tidemill/io.h>

#include "train/run.h"

enum { SCHEMA_VERSION = 1 };

/* ---- reading answers ---- */

double report_number(const json_t *object, const char *key) {
    const json_t *v = json_object_get(object, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

bool report_missing(const json_t *answer, int k) {
    return !json_object_get(json_object_get(answer, "known_params"), eis_parameters[k].name);
}

bool report_candidate(const json_t *answer, size_t rank, double p[EIS_WITH_RS]) {
    const json_t *known = json_object_get(answer, "known_params"),
                 *item = json_array_get(json_object_get(answer, "top_k_predictions"), rank);
    for (int k = 0; k < EIS_COUNT; k++)
        p[k] = report_number(report_missing(answer, k) ? item : known, eis_parameters[k].name);
    p[EIS_RS] = report_number(item, "Rs");
    if (isnan(p[EIS_RS])) p[EIS_RS] = report_number(answer, "rs_ohm");
    if (isnan(p[EIS_RS])) p[EIS_RS] = 0;
    for (int k = 0; k < EIS_COUNT; k++)
        if (isnan(p[k])) return false;
    return item != NULL;
}

double report_derived(const double *p, const char *name) {
    eis_invariants i = eis_invariants_of(p);
    const struct {
        const char *name;
        double value;
    } of[] = { { "TER", i.r0_ohm }, { "TEC", i.cinf_farad }, { "n1", i.n1_s }, { "d1", i.d1_s } };
    for (size_t k = 0; k < sizeof of / sizeof *of; k++)
        if (!strcmp(of[k].name, name)) return of[k].value;
    return NAN;
}

/* ---- report.json ---- */

/* An answer with no more than the candidates to list. */
static json_t *shortened(const json_t *answer, int64_t most) {
    json_t *copy = json_deep_copy(answer), *list = json_object_get(copy, "top_k_predictions");
    while ((int64_t)json_array_size(list) > most) json_array_remove(list, json_array_size(list) - 1);
    return copy;
}

static json_t *truth_json(const double *truth) {
    json_t *o = json_object();
    for (int k = 0; k < EIS_COUNT; k++) json_object_set_new(o, eis_parameters[k].name, json_real(truth[k]));
    return o;
}

static char *report_json(const report *r) {
    json_t *o =
        json_pack("{s:i, s:s, s:s}", "schema_version", SCHEMA_VERSION, "command", "eis full", "title", r->title);
    if (r->truth) json_object_set_new(o, "truth", truth_json(r->truth));
    json_object_set_new(o, "answer", shortened(r->answer, r->candidates));
    if (r->other) json_object_set_new(o, "other_answer", shortened(r->other, r->candidates));
    if (r->training) json_object_set_new(o, "training", json_deep_copy(r->training));
    if (r->calibration) json_object_set_new(o, "calibration", json_deep_copy(r->calibration));
    char *all = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    json_decref(o);
    return all;
}

/* ---- files ---- */

static tide_status put_text(void *user, void *file) { return fputs(user, file) < 0 ? TIDE_EIO : TIDE_OK; }

static tide_status write_one(const report *r, const char *name, char *content, tide_failure *failure) {
    char path[FOLDER_PATH];
    if (!content) return fail(failure, TIDE_ENOMEM, "out of memory for the report");
    tide_status status = owned_claim_file(r->folder, name, path, failure);
    return status == TIDE_OK ? tide_file_replace(path, put_text, content, failure) : status;
}

/* Coordinates and tables are printed with the point of the C locale, whatever this thread's is. */
static bool make_page(const report *r, text *page) {
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (!c) return false;
    locale_t before = uselocale(c);
    report_page(r, page);
    uselocale(before);
    freelocale(c);
    return !page->failed;
}

tide_status report_write(const report *r, tide_failure *failure) {
    text  page = { 0 };
    char *json = report_json(r);
    tide_status status = write_one(r, "report.json", json, failure);
    if (status == TIDE_OK) status = write_one(r, "report.html", make_page(r, &page) ? page.data : NULL, failure);
    text_free(&page);
    free(json);
    return status;
}
