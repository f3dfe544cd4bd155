/* What the page shows, whole, as CSV. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/io.h>

#include "drift.h"
#include "explained.h"
#include "forecast/report/csv.h"

static const char *const kinds[] = { [FORECAST_INPUT_SERIES] = "series", [FORECAST_INPUT_KNOWN] = "known",
                                     [FORECAST_INPUT_CALENDAR] = "calendar" };
static const char *const forecasters[] = { "model", "last_value", "seasonal_naive", "linear" };

static void put_numbers(FILE *out, const double *values, size_t count) {
    for (size_t i = 0; i < count; i++) putc(',', out), csv_number(out, values[i]);
}

static void put_attention(const explained *x, FILE *out) {
    const forecast_inputs *in = inputs_of(x);
    fputs("model,layer,query,key,weight\n", out);
    for (int64_t m = 0; m < in->attention_count; m++) {
        const forecast_attention *a = &in->attention[m];
        for (int64_t i = 0; i < a->tokens * a->tokens; i++) {
            fprintf(out, "%s,%" PRId64 ",", a->model, a->layer);
            csv_text(out, a->token[i / a->tokens]), putc(',', out), csv_text(out, a->token[i % a->tokens]);
            put_numbers(out, &a->weight[i], 1), putc('\n', out);
        }
    }
}

static void put_attributions(const explained *x, FILE *out) {
    const forecast_inputs *in = inputs_of(x);
    fputs("target,input,kind,share,strength,mean\n", out);
    for (int64_t k = 0; k < in->explained_count; k++)
        for (int64_t i = 0; i < in->count; i++) {
            const forecast_attribution *a = &in->explained[k].of[i];
            csv_text(out, in->explained[k].name), putc(',', out), csv_text(out, in->input[i].name);
            fprintf(out, ",%s", kinds[in->input[i].kind]);
            put_numbers(out, (double[]){ a->share, a->strength, a->mean }, 3), putc('\n', out);
        }
}

/* Rows count from the last that is known, 0; those to come from 1. What carries nothing is left out. */
static void put_rows(const explained *x, FILE *out) {
    const forecast_inputs *in   = inputs_of(x);
    int64_t                rows = in->seq_len + in->pred_len;
    fputs("target,input,row,strength\n", out);
    for (int64_t k = 0; k < in->explained_count; k++)
        for (int64_t i = 0; i < in->count * rows; i++) {
            const double *strength = &in->explained[k].by_row[i];
            if (*strength == 0) continue;
            csv_text(out, in->explained[k].name), putc(',', out), csv_text(out, in->input[i / rows].name);
            fprintf(out, ",%" PRId64, i % rows - in->seq_len + 1);
            put_numbers(out, strength, 1), putc('\n', out);
        }
}

static void put_flat(const explained *x, FILE *out) {
    const forecast_inputs *in    = inputs_of(x);
    char *const           *names = x->data->frame.names + x->data->out_first;
    fputs("target,input,mse,mse_flat\n", out);
    for (int64_t t = 0; t < in->targets; t++)
        for (int64_t i = 0; i < in->count; i++) {
            csv_text(out, names[t]), putc(',', out), csv_text(out, in->input[i].name);
            put_numbers(out, (double[]){ in->mse[t], in->mse_flat[i * in->targets + t] }, 2), putc('\n', out);
        }
}

static void put_drift(const explained *x, FILE *out) {
    const forecast_inputs *in = inputs_of(x);
    char words[DRIFT_WORDS];
    fputs("column,moved,values_before,values_now,shift,shift_usual,spread,spread_usual,ks,ks_usual,psi,psi_usual,"
          "outside,outside_usual,missing_before,missing_now\n", out);
    for (int64_t c = 0; c < in->drift_count; c++) {
        const forecast_drift *d = &in->drift[c];
        csv_text(out, d->column), putc(',', out), csv_text(out, drift_words(d->moved, words));
        fprintf(out, ",%" PRId64 ",%" PRId64, d->before, d->now);
        put_numbers(out, (double[]){ d->shift.value, d->shift.usual, d->spread.value, d->spread.usual, d->ks.value,
                                     d->ks.usual, d->psi.value, d->psi.usual, d->outside.value, d->outside.usual,
                                     d->missing_before, d->missing_now }, 12);
        putc('\n', out);
    }
}

static void put_scores(const explained *x, FILE *out) {
    const forecast_result *r = x->result;
    fputs("column,mse,mae,model_mae,last_value_mae,seasonal_naive_mae,linear_mae\n", out);
    for (int64_t i = 0; i < r->by_column_count; i++) {
        const forecast_column_score *s = &r->by_column[i];
        csv_text(out, s->name);
        put_numbers(out, (double[]){ s->mse, s->mae, s->original_mae[0], s->original_mae[1], s->original_mae[2],
                                     s->original_mae[3] }, 6);
        putc('\n', out);
    }
}

static void put_steps(const explained *x, FILE *out) {
    fputs("step", out);
    for (int k = 0; k < 4; k++)
        if (x->steps[k].step_mse) fprintf(out, ",%s_mse,%s_mae", forecasters[k], forecasters[k]);
    putc('\n', out);
    for (int64_t s = 0; s < inputs_of(x)->pred_len; s++) {
        fprintf(out, "%" PRId64, s + 1);
        for (int k = 0; k < 4; k++)
            if (x->steps[k].step_mse)
                put_numbers(out, (double[]){ x->steps[k].step_mse[s], x->steps[k].step_mae[s] }, 2);
        putc('\n', out);
    }
}

/* ---- files ---- */

static const struct { const char *name; void (*put)(const explained *x, FILE *out); } tables[] = {
    { "attention.csv", put_attention }, { "attributions.csv", put_attributions }, { "rows.csv", put_rows },
    { "flat.csv", put_flat },           { "drift.csv", put_drift },               { "scores.csv", put_scores },
    { "steps.csv", put_steps },
};
enum { TABLES = sizeof tables / sizeof *tables };
const char *const explained_files[] = { "report.html", "attention.csv", "attributions.csv", "rows.csv", "flat.csv",
                                        "drift.csv",   "scores.csv",    "steps.csv",        NULL };

typedef struct writing { const explained *x; int table; const text *page; } writing;

static tide_status write_one(void *user, void *stdio_file) {
    const writing *w = user;
    if (w->page) return fputs(w->page->data, stdio_file) < 0 ? TIDE_EIO : TIDE_OK;
    tables[w->table].put(w->x, stdio_file);
    return ferror((FILE *)stdio_file) ? TIDE_EIO : TIDE_OK;
}

static tide_status write_file(const char *folder, const char *name, writing *w, const listener *l,
                              tide_failure *failure) {
    char        path[FOLDER_PATH];
    tide_status status = owned_claim_file(folder, name, path, failure);
    if (status == TIDE_OK) status = tide_file_replace(path, write_one, w, failure);
    if (status == TIDE_OK) listener_tell(l, (forecast_event){ .stage = FORECAST_STAGE_FILE, .message = path });
    return status;
}

/* The page last: where it is, all that it names is. */
tide_status explained_write(const explained *x, const char *folder, const listener *l, tide_failure *failure) {
    text        page   = { 0 };
    tide_status status = TIDE_OK;
    explained_page(x, &page);
    if (page.failed) status = fail(failure, TIDE_ENOMEM, "out of memory for the page");
    for (int i = 0; status == TIDE_OK && i < TABLES; i++)
        status = write_file(folder, tables[i].name, &(writing){ x, i, NULL }, l, failure);
    if (status == TIDE_OK) status = write_file(folder, explained_files[0], &(writing){ x, 0, &page }, l, failure);
    text_free(&page);
    owned_release(folder);
    return status;
}
