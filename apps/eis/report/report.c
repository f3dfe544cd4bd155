/* report.json and report.html of `eis full`. */
#include "report.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <tidemill/io.h>

#include "eis/answer/answer.h"
#include "train/run.h"

enum { SCHEMA_VERSION = 1 };

bool report_candidate(const eis_answer *answer, int64_t rank, double p[EIS_WITH_RS]) {
    if (rank >= answer->candidates) return false;
    memcpy(p, answer->candidate[rank].p, sizeof answer->candidate[rank].p);
    for (int k = 0; k < EIS_COUNT; k++)
        if (answer->known.is[k]) p[k] = answer->known.value[k];
    if (!answer->rs_free) p[EIS_RS] = isnan(answer->rs_ohm) ? 0 : answer->rs_ohm;
    return true;
}

/* ---- report.json ---- */

/* An answer as the command has it, with no more than the candidates to list. */
static json_t *shortened(const eis_answer *a, int64_t most) {
    json_t *o = answer_result(json_pack("[o]", answer_json(answer_of(a)))),
           *list = json_object_get(o, "top_k_predictions");
    while ((int64_t)json_array_size(list) > most) json_array_remove(list, json_array_size(list) - 1);
    return o;
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
    if (r->training) json_object_set(o, "training", r->training->json);
    if (r->calibration) json_object_set_new(o, "calibration", calibration_json(r->calibration));
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
