/* The public answer: a view of the completion that it keeps, with the sentences cut into lines. */
#include <math.h>
#include <stdlib.h>

#include "answer.h"

struct eis_answer_parts {
    question     question;
    completion   completion;
    eis_spectrum spectrum;   /* a copy */
    char        *name, *model, *source;
    text         notes, warnings;
    const char **note;       /* the notes' lines, then the warnings' */
    answer       view;
};

const answer *answer_of(const eis_answer *a) { return &a->parts->view; }

static bool copy_spectrum(const eis_spectrum *from, eis_spectrum *to) {
    size_t count = (size_t)from->count;
    *to = (eis_spectrum){ from->count, malloc(count * sizeof *to->freq_hz), malloc(count * sizeof *to->z) };
    if (!to->freq_hz || !to->z) return false;
    memcpy(to->freq_hz, from->freq_hz, count * sizeof *to->freq_hz);
    memcpy(to->z, from->z, count * sizeof *to->z);
    return true;
}

static bool copy_parts(const answer *from, struct eis_answer_parts *p) {
    p->question = *from->question;
    p->question.stop = NULL, p->question.all = NULL;
    p->name   = from->path ? strdup(from->path) : NULL;
    p->model  = strdup(from->model);
    p->source = strdup(from->source);
    p->view   = (answer){ p->name, &p->question, p->model, from->area_cm2, from->spectrum ? &p->spectrum : NULL,
                          &p->completion, p->source, from->rs_in_rsh, NULL };
    return !from->path == !p->name && p->model && p->source &&
           (!from->spectrum || copy_spectrum(from->spectrum, &p->spectrum));
}

static int64_t lines_of(const text *t) {
    int64_t count = 0;
    for (const char *c = t->data; c && *c; c++) count += *c == '\n';
    return count;
}

static const char **cut(text *t, const char **into) {
    for (char *rest = t->data, *line; rest && *rest && (line = strsep(&rest, "\n"));) *into++ = line;
    return into;
}

static bool put_sentences(struct eis_answer_parts *p, eis_answer *out) {
    answer_notes(&p->view, &p->notes);
    answer_warnings(&p->view, &p->warnings);
    out->notes = lines_of(&p->notes), out->warnings = lines_of(&p->warnings);
    p->note = malloc((size_t)(out->notes + out->warnings + 1) * sizeof *p->note);
    if (!p->note || p->notes.failed || p->warnings.failed) return false;
    out->note    = p->note;
    out->warning = cut(&p->notes, p->note);
    cut(&p->warnings, p->note + out->notes);
    return true;
}

static void put_numbers(const answer *a, eis_answer *out) {
    const completion *c = a->completion;
    const summary    *s = &c->summary;
    *out = (eis_answer){ .name = a->path, .circuit = a->question->circuit, .method = a->question->method,
                         .known = a->question->known, .rs_free = isnan(a->question->rs_ohm),
                         .canonical = a->question->canonical, .area_cm2 = a->area_cm2, .candidate = s->top,
                         .candidates = s->top_count, .sample = c->draws, .samples = c->draw_count,
                         .entropy_nats = s->entropy_nats, .max_probability = s->max_probability,
                         .top5_mass = s->top5_mass, .rs_ohm = c->rs_ohm, .noise = c->noise,
                         .noise_source = c->noise_source, .effective_samples = c->effective,
                         .disagreement = c->disagreement, .one_relaxation_log_odds = c->one.log_odds,
                         .reduced_chi2 = a->question->method == EIS_EXACT ? c->grid_chi2 : c->chi2,
                         .resnorm = c->resnorm, .verdict = c->verdict, .share = c->share, .points = c->points,
                         .parts = out->parts };
    memcpy(out->of, s->of, sizeof out->of);
    memcpy(out->best, s->best, sizeof out->best);
    for (int k = 0; k < EIS_WITH_RS; k++) {
        if (answer_is_missing(a, k)) out->limit[k] = completion_bound(a->question, c, k);
        if (k == EIS_RS || a->question->known.is[k]) continue;
        out->identifiable[k] = completion_identifies(a->question, c, k);
        memcpy(out->marginal[k], s->marginal[k], sizeof out->marginal[k]);
    }
}

tide_status answer_make(const answer *from, completion *of, eis_answer *out, tide_failure *failure) {
    struct eis_answer_parts *p = calloc(1, sizeof *p);
    *out = (eis_answer){ .parts = p };
    if (p) p->completion = *of, *of = (completion){ 0 };
    if (p && copy_parts(from, p)) {
        put_numbers(&p->view, out);
        if (put_sentences(p, out)) return TIDE_OK;
    }
    eis_answer_free(out);
    return fail(failure, TIDE_ENOMEM, "out of memory for the answer");
}

void eis_answer_free(eis_answer *a) {
    struct eis_answer_parts *p = a ? a->parts : NULL;
    if (p) {
        completion_free(&p->completion);
        eis_spectrum_free(&p->spectrum);
        free(p->name), free(p->model), free(p->source), free(p->note);
        text_free(&p->notes), text_free(&p->warnings);
        free(p);
    }
    if (a) *a = (eis_answer){ 0 };
}
