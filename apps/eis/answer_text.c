#include <inttypes.h>
#include <math.h>

#include "answer.h"

/* "3.52 uF", "4.82 kohm": three digits and a prefix. */
static const char *engineering(char buffer[32], double v, const char *unit) {
    static const struct {
        double from;
        const char *prefix;
    } steps[] = { { 1e6, "M" }, { 1e3, "k" }, { 1, "" }, { 1e-3, "m" }, { 1e-6, "u" }, { 1e-9, "n" } };
    size_t i = 0;
    while (i + 1 < sizeof steps / sizeof *steps && !(fabs(v) >= steps[i].from * 0.9995)) i++;
    if (v == 0) snprintf(buffer, 32, "0 %s", unit);
    else snprintf(buffer, 32, "%.4g %s%s", v / steps[i].from, steps[i].prefix, unit);
    return buffer;
}

static void put_interval(const answer *a, int k, const char *after, text *out) {
    const interval *i = &a->completion->summary.of[k];
    const char     *unit = quantities[k].unit;
    char            low[32], median[32], high[32];
    text_add(out, "  %-4s %-12s 95 %%: %s to %s%s\n", quantities[k].name, engineering(median, i->median, unit),
             engineering(low, i->low, unit), engineering(high, i->high, unit), after);
}

static void put_missing(const answer *a, text *out) {
    char after[96];
    bool any = false;
    for (int k = 0; k < EIS_COUNT; k++) {
        if (a->question->known.is[k]) continue;
        const char *bound = completion_bound(a->completion, k);
        if (!any) text_add(out, "missing parameters\n");
        any = true;
        snprintf(after, sizeof after, "%s%s%s%s", completion_identifies(a->completion, k) ? "" : ", not identifiable",
                 bound ? ", AT ITS BOUND (" : "", bound ? bound : "", bound ? ")" : "");
        put_interval(a, k, after, out);
    }
    if (isnan(a->question->rs_ohm)) put_interval(a, EIS_RS, "", out);
    if (any && a->question->canonical) text_add(out, "  a is the slower membrane by convention: the spectrum cannot tell which is which\n");
}

static void put_fibre(const answer *a, text *out) {
    const fibre_range *f = &a->completion->fibre;
    char low[32], high[32];
    if (!f->present) return;
    text_add(out, "the same spectrum belongs to every circuit along a curve; within the ranges it runs through\n ");
    for (int k = 0; k < EIS_COUNT; k++)
        text_add(out, " %s %s to %s%s", eis_parameters[k].name, engineering(low, f->low[k], eis_parameters[k].unit),
                 engineering(high, f->high[k], eis_parameters[k].unit), k < EIS_COUNT - 1 ? "," : "\n");
}

static void put_candidates(const answer *a, text *out) {
    const summary *s = &a->completion->summary;
    char value[32];
    text_add(out, "candidates (probability of the grid cell%s%s)\n", a->spectrum ? "; " : "",
             a->spectrum ? eis_resnorm_name(a->question->resnorm) : "");
    for (int64_t i = 0; i < s->top_count; i++) {
        text_add(out, "  %2" PRId64 "  %-8.3g", i + 1, s->top[i].probability);
        if (!isnan(s->top[i].resnorm)) text_add(out, "  %9.4g ", s->top[i].resnorm);
        for (int k = 0; k < EIS_COUNT; k++)
            if (!a->question->known.is[k])
                text_add(out, "  %s %s", eis_parameters[k].name, engineering(value, s->top[i].p[k], eis_parameters[k].unit));
        text_add(out, "\n");
    }
}

static void put_grid(const answer *a, text *out) {
    const completion *c = a->completion;
    if (c->grid_adequate || a->question->method == EIS_REFINED) return;
    text_add(
        out,
        "%s fits (reduced chi2 %.2g): the grid is coarser than your data%s; the noise was raised to %.2g %% so that the best cell fits. "
        "--method refined does not need the grid\n",
        c->recipe ? "none of the network's cells" : "no grid cell", c->grid_chi2, c->recipe ? ", or the network missed the right ones" : "",
        100 * c->noise_used);
}

static void put_network(const answer *a, text *out) {
    const completion *c = a->completion;
    if (!c->recipe) return;
    for (int i = 0; i < c->range.count; i++)
        text_add(out, "%s%s%s", i ? "; " : "OUTSIDE THE TRAINING RANGE: ", c->range.reason[i], i + 1 < c->range.count ? "" : "\n");
    if (a->question->rerank && !c->reranked)
        text_add(out,
                 "the network's draws are too coarse for the likelihood (%.2g of them would count): they keep the network's own weights. "
                 "--method refined "
                 "has finer ones\n",
                 c->effective_share * (double)c->draw_count);
}

static void put_head(const answer *a, text *out) {
    const completion *c = a->completion;
    const char       *circuit = a->question->circuit == EIS_SHUNT ? "shunt" : "chain";
    if (!a->spectrum) {
        text_add(out, "%s circuit, from the known values alone: %s\n", circuit,
                 *a->options->model && !a->question->predictor ? a->options->model : "the prior");
        return;
    }
    text_add(out, "%s: %s circuit, ", a->path, circuit);
    if (c->recipe) text_add(out, "network (%s recipe%s)", c->recipe, c->reranked ? ", re-ranked" : "");
    else text_add(out, "%s", a->question->method == EIS_EXACT ? "exact on the grid" : "refined");
    text_add(out, ", noise %.3g %% (%s), reduced chi2 %.3g\n", 100 * c->noise, c->noise_inferred ? "from the data" : "given",
             a->question->method == EIS_EXACT ? c->grid_chi2 : c->chi2);
}

void answer_text(const answer *a, text *out) {
    const completion *c = a->completion;
    char value[32];
    put_head(a, out);
    for (int k = SUM_TER; a->question->circuit == EIS_SHUNT && k < SUM_COUNT; k++) put_interval(a, k, "", out);
    if (a->options->area_cm2 > 0 && a->question->circuit == EIS_SHUNT) {
        text_add(out, "  TER %s,", engineering(value, c->summary.of[SUM_TER].median * a->options->area_cm2, "ohm cm2"));
        text_add(out, " TEC %s\n", engineering(value, c->summary.of[SUM_TEC].median / a->options->area_cm2, "F/cm2"));
    }
    put_missing(a, out);
    put_fibre(a, out);
    put_grid(a, out);
    put_network(a, out);
    put_candidates(a, out);
}

/* ---- tables ---- */

static void put_field(text *out, const char *s) {
    if (!strpbrk(s, ",\"\r\n")) {
        text_add(out, "%s", s);
        return;
    }
    text_add(out, "\"");
    for (; *s; s++) text_add(out, *s == '"' ? "\"\"" : "%c", *s);
    text_add(out, "\"");
}

static void put_value(text *out, double v) {
    char buffer[32];
    text_add(out, ",");
    if (isfinite(v) && num_format(buffer, v, false) > 0) text_add(out, "%s", buffer);
}

void answer_table_header(text *out) { text_add(out, "spectrum,quantity,unit,low,median,high,identifiable,bound\n"); }

void answer_table(const answer *a, text *out) {
    for (int i = 0; i < SUM_COUNT; i++) {
        int             k = (i + SUM_TER) % SUM_COUNT;
        const interval *v = &a->completion->summary.of[k];
        bool parameter = k < EIS_COUNT;
        if (isnan(v->median) || (parameter && a->question->known.is[k]) || (k == EIS_RS && !isnan(a->question->rs_ohm))) continue;
        put_field(out, a->path ? a->path : "");
        text_add(out, ",%s,%s", quantities[k].name, quantities[k].unit);
        put_value(out, v->low);
        put_value(out, v->median);
        put_value(out, v->high);
        const char *bound = parameter ? completion_bound(a->completion, k) : NULL;
        text_add(out, ",%s,%s\n", !parameter || completion_identifies(a->completion, k) ? "true" : "false", bound ? bound : "");
    }
}

void candidate_table_header(text *out) {
    text_add(out, "spectrum,rank,rsh_ohm,ra_ohm,rb_ohm,ca_farad,cb_farad,rs_ohm,joint_probability,resnorm\n");
}

void candidate_table(const answer *a, text *out) {
    const summary *s = &a->completion->summary;
    for (int64_t i = 0; i < s->top_count; i++) {
        put_field(out, a->path ? a->path : "");
        text_add(out, ",%" PRId64, i + 1);
        for (int k = 0; k < EIS_WITH_RS; k++) put_value(out, s->top[i].p[k]);
        put_value(out, s->top[i].probability);
        put_value(out, s->top[i].resnorm);
        text_add(out, "\n");
    }
}
