/* The folder: the report, and how the times of single runs went. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "parts.h"
#include "draw/plot.h"
#include "files/owned.h"

enum { SERIES_MOST = 24 };

static tide_status put_text(void *content, void *file) { return fputs(content, file) < 0 ? TIDE_EIO : TIDE_OK; }

static const bench_times *step_times(const bench_result *r) { return &bench_main_program(r)->times; }
static const bench_times *answer_times(const bench_result *r) { return &r->one.times; }

static tide_status draw(const bench_report *r, const char *path, const char *title,
                        const bench_times *(*times)(const bench_result *),
                        bool *drawn, tide_failure *failure) {
    plot_series series[SERIES_MOST];
    char        name[SERIES_MOST][48];
    int         count = 0;
    for (int64_t i = 0; i < r->count && count < SERIES_MOST; i++) {
        const bench_result *one = &r->entry[i].result;
        const bench_times  *t   = times(one);
        if (t->count == 0) continue;
        snprintf(name[count], sizeof name[count], "%s %s", one->spec.name, tide_precision_name(one->precision));
        series[count] = (plot_series){ .name = name[count], .y = t->ms, .count = t->count, .style = PLOT_LINE };
        count++;
    }
    if (count == 0) return TIDE_OK;
    plot p = {
        .title = title, .x_label = "run", .y_label = "ms", .log_y = true, .x_is_whole = true, .series = series,
        .series_count = count
    };
    return plot_write(path, &p, NULL, drawn, failure);
}

tide_status bench_write(const bench_report *r, const char *folder, const char *json_name, bool *drawn,
                        tide_failure *failure) {
    char path[FOLDER_PATH];
    if (drawn) *drawn = plot_available();
    if (strlen(folder) >= 1024) return fail_at(failure, TIDE_EINVAL, NULL, 0, "out", "the folder's name is too long");
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return fail_at(failure, TIDE_EIO, folder, 0, "out", "%s cannot be made: %s", folder, strerror(errno));
    char *json = bench_json(r);
    if (!json) return fail(failure, TIDE_ENOMEM, "out of memory for the report");
    tide_status status = owned_claim_file(folder, json_name, path, failure);
    if (status == TIDE_OK) status = tide_file_replace(path, put_text, json, failure);
    free(json);
    if (status != TIDE_OK || !drawn) return status;
    status = owned_claim_plot(folder, "step-times", path, failure);
    if (status == TIDE_OK) status = draw(r, path, "A training step", step_times, drawn, failure);
    if (status == TIDE_OK) status = owned_claim_plot(folder, "answer-times", path, failure);
    return status == TIDE_OK ? draw(r, path, "One answer", answer_times, drawn, failure) : status;
}
