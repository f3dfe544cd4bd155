/* Programs on windows that are flat in part. */
#include <stdlib.h>

#include "base/base.h"
#include "explaining.h"
#include "train/step.h"

/* The flat values of windows: means over the known values of each column, 0 in the middle of a mark's range. */
typedef struct flat_values { tide_val past, known; } flat_values;

static flat_values flat_of(const model_config *c, const model_windows *x) {
    flat_values flat = { 0 };
    if (x->gaps.graph) {
        tide_val one = tide_scalar(x->past.graph, 1), there = tide_sub(one, x->gaps);
        tide_val sum = tide_sum(tide_mul(x->past, there), TIDE_AXES_KEEP(1));
        flat.past    = tide_div(sum, tide_maximum(tide_sum(there, TIDE_AXES_KEEP(1)), one));
    } else {
        flat.past = tide_mean(x->past, TIDE_AXES_KEEP(1));
    }
    if (c->known) flat.known = tide_slice(flat.past, 2, c->columns - c->known, c->columns);
    return flat;
}

/* ---- gradients along the line ---- */

typedef struct line { tide_val at, way; } line;

/* flat NULL graph: it is 0. */
static line line_to(tide_val x, tide_val flat, tide_val along) {
    tide_val way = flat.graph ? tide_sub(x, flat) : x, part = tide_mul(way, along);
    return (line){ flat.graph ? tide_add(part, flat) : part, way };
}

static void build_gradients(const explaining *e, int64_t b, flat_program *p) {
    session            *s = e->session;
    tide_graph         *g = s->graph;
    const model_config *c = &s->model.config;
    p->start = tide_input(g, "start.gradients", TIDE_I32, TIDE_SHAPE(b));
    p->along = tide_input(g, "along", TIDE_F32, TIDE_SHAPE(b, 1, 1));
    p->pick  = tide_input(g, "pick", TIDE_F32, TIDE_SHAPE(b, c->out_count));
    model_windows x = session_windows(s, p->start);
    flat_values   f = flat_of(c, &x);
    line past = line_to(x.past, f.past, p->along), marks = past, known = past;
    if (c->marks) marks = line_to(x.marks, (tide_val){ 0 }, p->along);
    if (c->known) known = line_to(x.known, f.known, p->along);
    x.past = past.at;
    if (c->marks) x.marks = marks.at;
    if (c->known) x.known = known.at;
    tide_val rows = forecaster_rows(&s->model, &x, TIDE_EVAL).point;
    p->answer     = tide_sum(tide_mul(tide_mean(rows, TIDE_AXES(2)), p->pick), TIDE_AXES(1));
    tide_list by  = tide_grad(tide_sum(p->answer, TIDE_ALL), TIDE_LIST(past.at, marks.at, known.at));
    if (by.count < 3) return; /* the graph has failed */
    p->past = tide_mul(by.items[0], past.way);
    if (c->marks) p->marks = tide_mul(by.items[1], marks.way);
    if (c->known) p->known = tide_mul(by.items[2], known.way);
}

static tide_program *compile_gradients(const explaining *e, int64_t b, flat_program *p) {
    tide_val wanted[4];
    int64_t  count = 0;
    build_gradients(e, b, p);
    wanted[count++] = p->answer;
    if (p->past.graph) wanted[count++] = p->past;
    if (p->marks.graph) wanted[count++] = p->marks;
    if (p->known.graph) wanted[count++] = p->known;
    return session_compile(e->session, (tide_list){ wanted, count });
}

/* ---- forecasts from windows with flat inputs ---- */

static tide_val kept(tide_val keep, int64_t first, int64_t stop, tide_val x, tide_val flat) {
    tide_val some = tide_broadcast(tide_slice(keep, 2, first, stop), tide_shape_of(x));
    tide_val rest = flat.graph ? tide_broadcast(flat, tide_shape_of(x)) : tide_scalar(x.graph, 0);
    return tide_where(tide_gt_scalar(some, 0), x, rest);
}

static tide_program *compile_forecasts(const explaining *e, int64_t b, flat_program *p) {
    session            *s = e->session;
    const model_config *c = &s->model.config;
    int64_t             n = c->columns;
    p->start = tide_input(s->graph, "start.flat", TIDE_I32, TIDE_SHAPE(b));
    p->keep  = tide_input(s->graph, "keep", TIDE_F32, TIDE_SHAPE(b, 1, n + c->marks));
    model_windows x = session_windows(s, p->start);
    flat_values   f = flat_of(c, &x);
    x.past = kept(p->keep, 0, n, x.past, f.past);
    if (c->known) x.known = kept(p->keep, n - c->known, n, x.known, f.known);
    if (c->marks) x.marks = kept(p->keep, n, n + c->marks, x.marks, (tide_val){ 0 });
    p->forecast = forecaster_rows(&s->model, &x, TIDE_EVAL).point;
    return session_compile(s, TIDE_LIST(p->forecast));
}

/* ---- sizes ---- */

typedef tide_program *(*compiler)(const explaining *e, int64_t b, flat_program *p);

static tide_status compile_as_fits(explaining *e, int64_t batch, compiler make, flat_program *out,
                                   tide_failure *failure) {
    session *s = e->session;
    for (;; batch /= 2) {
        tide_failure why = { 0 };
        *out             = (flat_program){ .batch = batch };
        out->program     = make(e, batch, out);
        tide_status status = train_compiled(s->graph, out->program, &why);
        if (status == TIDE_ENOMEM && batch > 1 && tide_error(s->graph)->status == TIDE_OK) {
            tide_program_free(out->program);
            continue;
        }
        if (failure && !failure->status) *failure = why;
        return status;
    }
}

/* A gradient keeps what a forecast may forget, and its derivatives: about three times the numbers. */
tide_status flat_gradients(explaining *e, int64_t jobs, flat_program *out, tide_failure *failure) {
    int64_t batch = MAX2(session_batch(explained_config(e), 3 * jobs) / 3, 1);
    return compile_as_fits(e, batch, compile_gradients, out, failure);
}

tide_status flat_forecasts(explaining *e, int64_t jobs, flat_program *out, tide_failure *failure) {
    return compile_as_fits(e, session_batch(explained_config(e), jobs), compile_forecasts, out, failure);
}
