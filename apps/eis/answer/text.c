/* An answer as text for people, and as rows of the tables of a batch. */
#include <inttypes.h>
#include <math.h>

#include "answer.h"

/* Digits with which both ends of an interval look different. */
static int digits_of(double low, double high) {
    char a[32], b[32];
    for (int digits = 4; digits < 12; digits++) {
        snprintf(a, sizeof a, "%.*g", digits, low), snprintf(b, sizeof b, "%.*g", digits, high);
        if (strcmp(a, b) != 0) return digits;
    }
    return 12;
}

static void put_interval(const answer *a, int k, const char *after, text *out) {
    const interval *i = &a->completion->summary.of[k];
    const char     *unit = quantities[k].unit, *why = answer_without_interval(a, k);
    char            low[32], median[32], high[32];
    int             digits = digits_of(i->low, i->high);
    text_add(out, "  %-4s ", quantities[k].name);
    if (why) text_add(out, "%s, %s%s\n", answer_quantity(median, i->median, unit, 4), why, after);
    else if (isnan(i->low)) text_add(out, "not determined\n");
    else if (isnan(i->high)) text_add(out, "at least %s\n", answer_quantity(low, i->low, unit, 4));
    else
        text_add(out, "%-12s 95 %%: %s to %s%s\n", answer_quantity(median, i->median, unit, digits),
                 answer_quantity(low, i->low, unit, digits),
                 answer_quantity(high, i->high, unit, digits), after);
}

static const char *limit_words(const char *bound) {
    if (!bound) return "";
    return *bound == 'l'   ? ", AT THE LOWER LIMIT of its range"
           : *bound == 'h' ? ", AT THE UPPER LIMIT of its range"
                           : ", AT BOTH LIMITS of its range";
}

static void put_missing(const answer *a, text *out) {
    char after[96];
    bool any = false;
    for (int k = 0; k < EIS_COUNT; k++) {
        if (a->question->known.is[k]) continue;
        if (!any) text_add(out, "missing parameters\n");
        any = true;
        snprintf(after, sizeof after, "%s%s",
                 completion_identifies(a->question, a->completion, k) ? "" : ", not identifiable",
                 answer_runs_along(a, k) ? "" : limit_words(completion_bound(a->question, a->completion, k)));
        put_interval(a, k, after, out);
    }
    if (isnan(a->question->rs_ohm))
        put_interval(a, EIS_RS, limit_words(completion_bound(a->question, a->completion, EIS_RS)), out);
    if (any && a->question->canonical)
        text_add(out, "  a is the slower membrane by convention: the spectrum cannot tell which is which\n");
}

static void put_fibre(const answer *a, text *out) {
    const fibre_range *f = &a->completion->fibre;
    char low[32], high[32];
    if (!f->present) return;
    text_add(out, "the same spectrum belongs to every circuit along a curve; within the ranges it runs through\n ");
    for (int k = 0; k < EIS_COUNT; k++)
        text_add(out, " %s %s to %s%s", eis_parameters[k].name,
                 answer_quantity(low, f->low[k], eis_parameters[k].unit, 4),
                 answer_quantity(high, f->high[k], eis_parameters[k].unit, 4), k < EIS_COUNT - 1 ? "," : "\n");
    if (a->question->told.count)
        text_add(out, "where on it the circuit lies is told by the priors, as far as they go\n");
}

/* As they came out. */
static void put_told(const answer *a, text *out) {
    const priors *told = &a->question->told;
    char name[TOLD_NAME];
    for (int i = 0; i < told->count; i++) {
        told_name(&told->of[i], name);
        text_add(out, "%s%s %.5g +- %.3g", i ? ", " : "told beside the spectrum: ", name, told->of[i].value,
                 told->of[i].deviation);
    }
    if (told->count) text_add(out, "\n");
}

static void put_candidates(const answer *a, text *out) {
    const summary *s = &a->completion->summary;
    char value[32];
    if (answer_none_better(a)) return;
    text_add(out, "candidates (probability of the grid cell%s%s)\n", a->spectrum ? "; " : "",
             a->spectrum ? eis_resnorm_name(a->question->resnorm) : "");
    for (int64_t i = 0; i < s->top_count; i++) {
        text_add(out, "  %2" PRId64 "  %-8.3g", i + 1, s->top[i].probability);
        if (!isnan(s->top[i].resnorm)) text_add(out, "  %9.4g ", s->top[i].resnorm);
        for (int k = 0; k < EIS_COUNT; k++)
            if (!a->question->known.is[k])
                text_add(out, "  %s %s", eis_parameters[k].name,
                         answer_quantity(value, s->top[i].p[k], eis_parameters[k].unit, 4));
        text_add(out, "\n");
    }
}

static void put_grid(const answer *a, text *out) {
    const completion *c = a->completion;
    if (c->grid_adequate || a->question->method == EIS_REFINED) return;
    text_add(
        out,
        "%s fits (reduced chi2 %.2g): the grid is coarser than your data%s; the noise was raised to %.2g %% so that "
        "the best cell fits. "
        "`method` refined does not need the grid\n",
        c->recipe ? "none of the network's cells" : "no grid cell", c->grid_chi2,
        c->recipe ? ", or the network missed the right ones" : "",
        100 * c->noise_used);
}

static void put_network(const answer *a, text *out) {
    const completion *c = a->completion;
    if (!c->recipe) return;
    for (int i = 0; i < c->range.count; i++)
        text_add(out, "%s%s%s", i ? "; " : "OUTSIDE THE TRAINING RANGE: ", c->range.reason[i],
                 i + 1 < c->range.count ? "" : "\n");
    if (a->question->rerank && !c->reranked)
        text_add(out,
                 "the network's draws are too coarse for the likelihood (%.2g of them would count): they keep the "
                 "network's own weights. "
                 "`method` refined "
                 "has finer ones\n",
                 c->effective_share * (double)c->draw_count);
}

static void put_sampling(const completion *c, text *out) {
    if (isnan(c->disagreement)) return;
    text_add(out, "samples: %" PRId64, c->draw_count);
    if (!isnan(c->effective)) text_add(out, ", worth %.0f independent ones", c->effective);
    text_add(out, "; two halves agree within %.2g of an interval's width\n", c->disagreement);
}

static void put_head(const answer *a, text *out) {
    const completion *c = a->completion;
    const char       *circuit = a->question->circuit == EIS_SHUNT ? "shunt" : "chain";
    if (!a->spectrum) {
        text_add(out, "%s circuit, from the known values alone: %s\n", circuit,
                 *a->model && !a->question->predictor ? a->model : "the prior");
        return;
    }
    text_add(out, "%s: %s circuit, ", a->path, circuit);
    if (c->recipe) text_add(out, "network (%s recipe%s)", c->recipe, c->reranked ? ", re-ranked" : "");
    else if (a->question->method == EIS_EXACT) text_add(out, "exact on the grid");
    else text_add(out, "refined%s", a->question->robust ? ", robust" : "");
    text_add(out, ", noise: %.3g %% (%s), reduced chi2 %.3g%s", 100 * c->noise, eis_noise_source_name(c->noise_source),
             a->question->method == EIS_EXACT ? c->grid_chi2 : c->chi2,
             c->verdict == EIS_FIT_ADEQUATE ? ": adequate" : "");
    text_add(out, "\n");
}

static void put_areas(const answer *a, text *out) {
    const interval *ter = &a->completion->summary.of[SUM_TER];
    double area = a->area_cm2, tec = a->completion->summary.of[SUM_TEC].median;
    char   value[32];
    if (!(area > 0) || a->question->circuit != EIS_SHUNT) return;
    if (isnan(ter->median) && isnan(ter->low)) text_add(out, "  TER not determined,");
    else
        text_add(out, "  TER %s%s,", isnan(ter->median) ? "at least " : "",
                 answer_quantity(value, (isnan(ter->median) ? ter->low : ter->median) * area, "ohm cm2", 4));
    text_add(out, " TEC %s\n", answer_quantity(value, tec / area, "F/cm2", 4));
}

void answer_text(const answer *a, text *out) {
    put_head(a, out);
    answer_notes(a, out);
    for (int k = SUM_TER; a->question->circuit == EIS_SHUNT && k < SUM_COUNT; k++) put_interval(a, k, "", out);
    put_areas(a, out);
    put_missing(a, out);
    put_told(a, out);
    put_fibre(a, out);
    put_grid(a, out);
    put_network(a, out);
    put_sampling(a->completion, out);
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

void answer_table_header(text *out) {
    text_add(out, "spectrum,quantity,unit,low,median,high,identifiable,bound,note\n");
}

void answer_table(const answer *a, text *out) {
    for (int i = 0; i < SUM_COUNT; i++) {
        int             k = (i + SUM_TER) % SUM_COUNT;
        const interval *v = &a->completion->summary.of[k];
        bool parameter = k < EIS_COUNT, open = k == SUM_TER && a->completion->ter_open;
        if (!answer_is_missing(a, k) || (isnan(v->median) && !open)) continue;
        put_field(out, a->path ? a->path : "");
        text_add(out, ",%s,%s", quantities[k].name, quantities[k].unit);
        put_value(out, v->low);
        put_value(out, v->median);
        put_value(out, v->high);
        const char *bound = k < EIS_WITH_RS ? completion_bound(a->question, a->completion, k) : NULL,
                   *why = answer_without_interval(a, k);
        text_add(out, ",%s,%s,",
                 !open && (!parameter || completion_identifies(a->question, a->completion, k)) ? "true" : "false",
                 bound ? bound : "");
        put_field(out, open  ? "a lower limit only: the circuit does not follow the spectrum to its lowest frequency"
                       : why ? why
                             : "");
        text_add(out, "\n");
    }
}

void answer_table_failed(const char *path, const char *reason, text *out) {
    put_field(out, path);
    text_add(out, ",failed,,,,,,,");
    put_field(out, reason);
    text_add(out, "\n");
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

char *eis_answer_text(const eis_answer *a) {
    text out = { 0 };
    if (a && a->parts) answer_text(answer_of(a), &out);
    if (!out.failed) return out.data;
    text_free(&out);
    return NULL;
}
