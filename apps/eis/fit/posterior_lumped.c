/* The lumped epithelium by the sampler of `complete`, which has its fibre in closed form. */
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "eis/posterior/completion.h"
#include "posterior.h"

/* Of the named circuit, by its parts' order. */
static const int lumped_part[EIS_WITH_RS] = { EIS_RS, EIS_RSH, EIS_RA, EIS_CA, EIS_RB, EIS_CB };

bool posterior_is_lumped(const equivalent *e) {
    equivalent lumped;
    tide_failure none = { 0 };
    if (equivalent_parse("epithelial", &lumped, &none) != TIDE_OK) return false;
    bool is = e->nodes == lumped.nodes && e->parameters == lumped.parameters;
    for (int i = 0; is && i < e->nodes; i++) {
        const circuit_node *a = &e->node[i], *b = &lumped.node[i];
        is = a->kind == b->kind && a->parent == b->parent;
        if (is && a->kind == NODE_ELEMENT)
            is = a->part == b->part && e->part[a->part].kind == lumped.part[b->part].kind;
    }
    for (int k = 0; is && k < e->parameters; k++) {
        const circuit_parameter *p = &e->parameter[k];
        is = p->tie < 0 && p->low >= 0 && !(p->fixed && p->value < 0);
    }
    return is;
}

/* Rs may be 0, which no other of them is. */
static double low_of(const circuit_parameter *p, int k) {
    return p->low > 0 || k == EIS_RS ? p->low : usual_ranges.low[k];
}

static question question_of(const posterior_question *q) {
    question out = { .circuit = EIS_SHUNT,
                     .method = EIS_REFINED,
                     .rs_ohm = NAN,
                     .noise = NAN,
                     .top_k = 1,
                     .seed = q->o->seed,
                     .robust = q->o->robust,
                     .stop = q->stop,
                     .canonical = true };
    for (int i = 0; i < EIS_WITH_RS; i++) {
        const circuit_parameter *p = &q->e->parameter[i];
        int k = lumped_part[i];
        out.range.low[k] = low_of(p, k);
        out.range.high[k] = isfinite(p->high) ? p->high : fmax(usual_ranges.high[k], 1e3 * out.range.low[k]);
        if (!p->fixed) continue;
        if (k == EIS_RS) out.rs_ohm = p->value;
        else out.known.is[k] = true, out.known.value[k] = p->value;
        out.canonical = out.canonical && (k == EIS_RS || k == EIS_RSH);
    }
    for (int k = EIS_RA; k <= EIS_CA; k += EIS_CA - EIS_RA) /* membranes that differ have names */
        out.canonical =
            out.canonical && out.range.low[k] == out.range.low[k + 1] && out.range.high[k] == out.range.high[k + 1];
    return out;
}

static void put_row(const fit_problem *p, const double *values, const posterior_draws *of, double *row) {
    double x[PARAMETERS_MOST], quantity[FIT_QUANTITIES];
    for (int v = 0; v < p->variables; v++) {
        row[of->quantities + v] = values[lumped_part[p->of[v]]];
        x[v] = log(row[of->quantities + v]);
    }
    fit_quantity_values(p, x, quantity);
    memcpy(row, quantity, (size_t)of->quantities * sizeof *row);
}

static tide_status put_all(const posterior_question *q, const question *asked, const completion *c,
                           posterior_draws *out, tide_failure *failure) {
    fit_data data = { .n = 1 }; /* values alone are asked of the problem */
    fit_problem p = { 0 };
    bool room = fit_problem_new(q->e, &data, &p) && posterior_draws_new(&p, c->draw_count, out);
    for (int64_t i = 0; room && i < c->draw_count; i++) {
        put_row(&p, c->draws[i].p, out, out->value + i * out->marginals);
        out->weight[i] = c->draws[i].weight;
    }
    for (int v = 0; room && v < p.variables; v++) {
        const circuit_parameter *of = &q->e->parameter[p.of[v]];
        int k = lumped_part[p.of[v]];
        out->low[v] = asked->range.low[k], out->high[v] = asked->range.high[k];
        out->assumed_low[v] = !(of->low > 0), out->assumed_high[v] = !isfinite(of->high);
    }
    out->method = "epithelial", out->effective = c->effective;
    out->noise = c->noise_used, out->noise_dof = c->noise_dof;
    fit_problem_free(&p);
    return room ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the posterior of a fit");
}

tide_status posterior_of_lumped(const posterior_question *q, posterior_draws *out, tide_failure *failure) {
    completion c;
    question asked = question_of(q);
    *out = (posterior_draws){ 0 };
    tide_status status = complete_one(&asked, q->s, &c, failure);
    if (status != TIDE_OK) return status;
    status = put_all(q, &asked, &c, out, failure);
    completion_free(&c);
    return status;
}
