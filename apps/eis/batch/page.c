/* The page: what came out, a row a spectrum; what changes; each spectrum with its fit; what had no answer; how it was
 * made. No scripts, nothing fetched. It is well-formed XML, so that it can be checked. */
#include "page.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draw/chart.h"
#include "eis/check/checked.h"
#include "eis/check/faults.h"
#include "eis/fit/fitted.h"
#include "draw/html.h"

static const char style[] =
    "body{max-width:1400px}table{font-size:.85em}th,td{padding:3px "
    "7px}.bad{color:#b00020}.warn{color:#9a5b00}td.left,th.left{text-align:left}"
    "td.long,td.name{white-space:normal;overflow-wrap:anywhere;min-width:11em;text-align:left}td.name{max-width:17em}"
    "details{border-top:1px solid #eee;padding:4px 0;break-inside:avoid}summary{cursor:pointer}"
    "thead{display:table-header-group}@media print{a{color:inherit;text-decoration:none}"
    "body{font-size:9pt}th,td{padding:2px 5px}.wide{overflow:visible}}";

bool page_is_doubtful(const batch_row *r) {
    return r->data == EIS_CHECK_FLAWED ||
           (!*r->reason &&
            (r->verdict == EIS_FIT_SYSTEMATIC || r->verdict == EIS_FIT_NOISY || r->verdict == EIS_FIT_BEYOND));
}

/* The sweep's name may begin with the file's. */
void page_name(const batch_row *r, text *out) {
    const char *slash = strrchr(r->file, '/'), *file = slash && slash[1] ? slash + 1 : r->file, *sweep = r->sweep;
    bool named = strncmp(sweep, file, strlen(file)) == 0;
    text_add_escaped(out, file);
    if (*sweep && !named) text_add(out, ", ");
    text_add_escaped(out, named ? sweep + strlen(file) : sweep);
}

/* ---- the table ---- */

typedef struct shown {
    bool well, condition, donor, time;
} shown; /* what the plate has */

static shown shown_of(const batch_rows *rows) {
    shown any = { 0 };
    for (int64_t i = 0; rows->plate && i < rows->count; i++) {
        const batch_row *r = &rows->row[i];
        any.well |= *r->well != 0, any.condition |= *r->condition != 0;
        any.donor |= *r->donor != 0, any.time |= *r->time != 0;
    }
    return any;
}

static void put_cell(const char *class, const char *words, text *out) {
    text_add(out, "<td class=\"%s\">", class);
    text_add_escaped(out, words);
    text_add(out, "</td>");
}

static void put_header(const shown *any, const page_columns *columns, text *out) {
    const struct {
        bool is;
        const char *name;
    } of[] = { { any->well, "well" }, { any->condition, "condition" }, { any->donor, "donor" }, { any->time, "time" } };
    text_add(out, "<thead><tr><th></th><th class=\"left\">spectrum</th>");
    for (int i = 0; i < 4; i++)
        if (of[i].is) text_add(out, "<th class=\"left\">%s</th>", of[i].name);
    text_add(out, "<th class=\"left\">data</th><th class=\"left\">faults</th><th class=\"left\">circuit</th>");
    for (int i = 0; i < columns->count; i++)
        text_add(out, "<th>"), page_column_title(&columns->of[i], out), text_add(out, "</th>");
    text_add(out, "<th>reduced chi2</th><th>KK residual</th></tr></thead>\n<tbody>\n");
}

static void put_verdicts(const batch_row *r, text *out) {
    static const char *const data[] = { "left", "left warn", "left bad" };
    put_cell(r->checked ? data[r->data] : "left", r->checked ? check_verdict_name(r->data) : "", out);
    text_add(out, "<td class=\"left\">");
    for (int64_t i = 0; i < r->faults; i++) text_add(out, "%s%s", i ? ", " : "", eis_fault_name(r->fault[i]));
    text_add(out, "</td>");
    if (*r->reason) put_cell("left bad", "no answer", out);
    else if (r->screened) put_cell("left", "screened", out);
    else put_cell(r->verdict <= EIS_FIT_ADEQUATE ? "left" : "left warn", fit_verdict_name(r->verdict), out);
}

static void put_number(const char *format, double v, text *out) {
    text_add(out, "<td>");
    if (isfinite(v)) text_add(out, format, v);
    text_add(out, "</td>");
}

static void put_row(const batch_row *r, bool linked, const shown *any, const page_columns *columns, text *out) {
    text_add(out, "<tr><td>%lld</td><td class=\"name\" title=\"", (long long)r->order + 1);
    text_add_escaped(out, r->file);
    text_add(out, "\">");
    if (linked) text_add(out, "<a href=\"#s%lld\">", (long long)r->order + 1);
    page_name(r, out);
    text_add(out, linked ? "</a></td>" : "</td>");
    if (any->well) put_cell("left", r->well, out);
    if (any->condition) put_cell("left", r->condition, out);
    if (any->donor) put_cell("left", r->donor, out);
    if (any->time) put_cell("left", r->time, out);
    put_verdicts(r, out);
    for (int i = 0; i < columns->count; i++)
        text_add(out, "<td>"), page_column_value(r, &columns->of[i], out), text_add(out, "</td>");
    put_number("%.3g", *r->reason ? (double)NAN : r->chi2, out);
    put_number("%.2g %%", 100 * r->kk_rmse, out);
    text_add(out, "</tr>\n");
}

static void put_table(const batch_rows *rows, const bool *chosen, const page_columns *columns, text *out) {
    shown any = shown_of(rows);
    text_add(out, "<h2>Answers</h2>\n<div class=\"wide\"><table>\n");
    put_header(&any, columns, out);
    for (int64_t i = 0; i < rows->count; i++) put_row(&rows->row[i], chosen[i], &any, columns, out);
    text_add(out, "</tbody></table></div>\n");
    if (rows->screened)
        text_add(out, "<p class=\"note\">Medians; &#177; is the 95 %% interval's half width over 1.96, the interval "
                      "itself is in batch.csv.</p>\n");
    else
        text_add(out, "<p class=\"note\">&#177; is the standard error of the fit. Circuit: whether "
                      "it can have made the spectrum, by a noise that is known without it; the KK residual is what the "
                      "nearest spectrum that Kramers and Kronig allow leaves. All parameters are in batch.csv.</p>\n");
}

/* ---- what is said of all ---- */

static void put_summary(const batch_rows *rows, text *out) {
    int64_t fits = 0, flawed = 0;
    if (rows->screened)
        text_add(out, "<p>%lld of %lld spectra have an answer of a predictor; none was fitted.</p>\n",
                 (long long)rows->answered, (long long)rows->count);
    if (rows->screened) return;
    for (int64_t i = 0; i < rows->count; i++) {
        const batch_row *r = &rows->row[i];
        fits += !*r->reason && r->verdict == EIS_FIT_ADEQUATE, flawed += r->data == EIS_CHECK_FLAWED;
    }
    text_add(out,
             "<p>%lld of %lld spectra have an answer; in %lld what the circuit leaves is noise. %lld have data with "
             "a fault that an answer can live with.</p>\n",
             (long long)rows->answered, (long long)rows->count, (long long)fits, (long long)flawed);
}

static void put_refused(const batch_rows *rows, text *out) {
    if (rows->answered == rows->count) return;
    text_add(out,
             "<h2>No answer</h2>\n<div class=\"wide\"><table><thead><tr><th></th><th class=\"left\">spectrum</th><th "
             "class=\"left\">reason</th></tr></thead>\n<tbody>\n");
    for (int64_t i = 0; i < rows->count; i++) {
        const batch_row *r = &rows->row[i];
        if (!*r->reason) continue;
        text_add(out, "<tr><td>%lld</td><td class=\"name\">", (long long)r->order + 1);
        page_name(r, out);
        text_add(out, "</td>");
        put_cell("long", r->reason, out);
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody></table></div>\n");
}

static void put_method(const batch_rows *rows, text *out) {
    text_add(out, "<h2>How it was made</h2>\n<p>Circuit: <code>");
    text_add_escaped(out, rows->circuit);
    if (rows->screened) {
        text_add(out,
                 "</code>. A predictor's medians and intervals, each spectrum by itself; the data were not checked, "
                 "and nothing was fitted. tidemill %s.</p>\n",
                 tide_version());
        return;
    }
    text_add(out,
             "</code>. Weights: %s%s. Each spectrum was checked without a circuit (Kramers and Kronig, outliers, "
             "drift, mains, leads), points that are no measurement were left out, and the rest was fitted without "
             "start values; none starts from another's answer. tidemill %s.</p>\n",
             fit_weights_name(rows->weights), rows->robust ? ", robust" : "", tide_version());
}

static void put_all(const batch_rows *rows, const batch_groups *groups, const bool *chosen, text *out) {
    page_columns columns;
    page_columns_of(rows, &columns, out);
    html_begin("Impedance spectra", style, out);
    put_summary(rows, out);
    put_table(rows, chosen, &columns, out);
    put_refused(rows, out);
    page_groups(groups, out);
    page_trends(rows, &columns, out);
    page_panels(rows, chosen, out);
    put_method(rows, out);
    html_end(out);
}

/* Numbers have the point of the C locale, whatever this thread's is. */
void batch_page(const batch_rows *rows, const batch_groups *groups, text *out) {
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), before = c ? uselocale(c) : c;
    bool *chosen = page_choose(rows);
    if (chosen) put_all(rows, groups, chosen, out);
    out->failed = out->failed || !chosen;
    free(chosen);
    if (c) uselocale(before), freelocale(c);
}
