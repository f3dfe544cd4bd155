/* See step_exchange.h. Whether all ranks can is agreed on first; then every call is the same on all of them. */
#include "step_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <tidemill/communicator.h>

#include "base/base.h"
#include "step_ranks.h"

struct step_exchange {
    tide_communicator *by;
    ranks        *ranks;
    tide_val      metric;        /* variable; graph NULL: none */
    tide_list     from, to;      /* variables of a part; of each the rows of all parts */
    tide_program *again;         /* the next part of this rank begins anew */
    char          library[40];
};

/* ---- opening ---- */

static void abort_exchange(void *user) { tide_communicator_abort(((step_exchange *)user)->by); }

/* Does `mine` hold on all ranks? */
static tide_status all_say(ranks *r, bool mine, bool *all, tide_failure *failure) {
    bool       *each   = malloc((size_t)ranks_count(r));
    tide_status status = each ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for what the ranks share");
    status = ranks_meet(r, status, NULL, failure);
    if (status == TIDE_OK) status = ranks_gather(r, &mine, sizeof mine, each, failure);
    *all = true;
    for (int i = 0; status == TIDE_OK && i < ranks_count(r); i++) *all &= each[i];
    free(each);
    return status;
}

static bool may(train_step *s) {
    const char *missing, *library = tide_communicator_library(s->graph, &missing);
    if (s->parts > EXCHANGE_PARTS) missing = "a batch has more than 64 parts", library = NULL;
    if (!library) snprintf(s->by_host, sizeof s->by_host, "%s", missing);
    return library != NULL;
}

static bool connect(const train_step *s, const char id[TIDE_COMMUNICATOR_ID], step_exchange *e, tide_failure *why) {
    ranks *r = s->rule.ranks;
    return tide_communicator_open(s->graph, id, ranks_rank(r), ranks_count(r), &e->by, why) == TIDE_OK;
}

/* An id that could not be made is told as it is: then none is opened. */
static tide_status open_on_all(const train_step *s, step_exchange *e, bool *fine, tide_failure *why,
                               tide_failure *failure) {
    struct { bool made; char id[TIDE_COMMUNICATOR_ID]; } name = { 0 };
    if (ranks_lead(s->rule.ranks)) name.made = tide_communicator_id(s->graph, name.id, why) == TIDE_OK;
    tide_status status = ranks_tell(s->rule.ranks, &name, sizeof name, failure);
    bool        opened = status == TIDE_OK && name.made && connect(s, name.id, e, why);
    return status == TIDE_OK ? all_say(s->rule.ranks, opened, fine, failure) : status;
}

static void drop(step_exchange *e, bool orderly) {
    if (e->by && !orderly) tide_communicator_abort(e->by);
    tide_communicator_close(e->by);
    free(e);
}

tide_status step_exchange_open(train_step *s, tide_failure *failure) {
    ranks        *r    = s->rule.ranks;
    bool          fine = false;
    tide_failure  why  = { 0 };
    if (!r || s->parts == 1 || !train_device_apart(s->graph)) return TIDE_OK;
    step_exchange *e      = calloc(1, sizeof *e);
    tide_status    status = all_say(r, e && may(s), &fine, failure);
    if (status == TIDE_OK && fine) status = open_on_all(s, e, &fine, &why, failure);
    if (!*s->by_host) snprintf(s->by_host, sizeof s->by_host, "%.199s",
                               *why.message ? why.message : "another rank cannot");
    if (status != TIDE_OK || !fine) return e ? drop(e, false), status : status;
    const char *missing;
    snprintf(e->library, sizeof e->library, "%s", tide_communicator_library(s->graph, &missing));
    e->ranks    = r;
    s->exchange = e, *s->by_host = 0;
    ranks_on_loss(r, abort_exchange, e);
    return TIDE_OK;
}

void step_exchange_close(train_step *s) {
    step_exchange *e = s->exchange;
    if (!e) return;
    s->exchange = NULL;
    ranks_on_loss(e->ranks, NULL, NULL);
    drop(e, ranks_sound(e->ranks));
}

const char *step_exchange_library(const train_step *s) { return s->exchange ? s->exchange->library : NULL; }

static int64_t numbers(tide_val v) { return tide_shape_count(tide_shape_of(v)); }

/* ---- what is exchanged: the accumulator's sums, numerator, denominator, and a variable for the metric ---- */

static int64_t with_rows(const train_step *s) {
    return step_carried_count(s) + (s->exchange->metric.graph != NULL);
}

static tide_val variable_at(const train_step *s, int64_t i) {
    return i < step_carried_count(s) ? step_carried(s, i) : s->exchange->metric;
}

/* (parts of a rank, ranks, shape...), flat. */
static tide_val rows_for(const train_step *s, tide_val v) {
    char name[400];
    snprintf(name, sizeof name, "ranks.%s", tide_name_of(v));
    return tide_variable(s->graph, name, tide_fill(s->graph, TIDE_F32, TIDE_SHAPE(s->parts, numbers(v)), 0));
}

static tide_status make_lists(train_step *s) {
    step_exchange *e     = s->exchange;
    int64_t        count = with_rows(s);
    tide_val      *from  = calloc((size_t)(2 * count), sizeof *from), *to = from ? from + count : NULL;
    for (int64_t i = 0; from && i < count; i++) from[i] = variable_at(s, i), to[i] = rows_for(s, from[i]);
    if (from) e->from = tide_list_new(s->graph, from, count), e->to = tide_list_new(s->graph, to, count);
    free(from);
    if (!e->from.items || !e->to.items) tide_poison(s->graph, TIDE_ENOMEM, "out of memory for a step");
    return tide_error(s->graph)->status;
}

tide_val step_exchange_part(train_step *s, tide_val part) {
    step_exchange *e = s->exchange;
    if (!s->metric.graph) return part;
    e->metric = tide_variable(s->graph, "accumulate.metric", tide_scalar(s->graph, 0));
    return tide_group(s->graph, TIDE_LIST(part, tide_assign(e->metric, s->metric)));
}

/* Of a part of the batch, ranks one after the other: row `part % here * ranks + part / here`. */
static tide_val row_of(const train_step *s, int64_t variable, int64_t part) {
    int64_t row = part % s->here * (s->parts / s->here) + part / s->here;
    return tide_slice(s->exchange->to.items[variable], 0, row, row + 1);
}

static tide_val total_of(const train_step *s, int64_t i) {
    tide_val sum = row_of(s, i, 0);
    for (int64_t p = 1; p < s->parts; p++) sum = tide_add(sum, row_of(s, i, p));
    return tide_reshape(sum, tide_shape_of(s->exchange->from.items[i]));
}

static tide_val metrics_of(const train_step *s, int64_t i) {
    tide_val each[EXCHANGE_PARTS];
    for (int64_t p = 0; p < s->parts; p++) each[p] = row_of(s, i, p);
    return tide_reshape(tide_concat(s->graph, (tide_list){ each, s->parts }, 0), TIDE_SHAPE(s->parts));
}

void step_exchange_total(train_step *s) {
    tide_accumulator *a    = &s->sums;
    int64_t           n    = a->sums.count, last = n;
    tide_val         *each = malloc(sizeof *each * (size_t)(n + 1));
    if (!each) tide_poison(s->graph, TIDE_ENOMEM, "out of memory for a step");
    if (make_lists(s) != TIDE_OK) return free(each);
    for (int64_t i = 0; i < n; i++) each[i] = total_of(s, i);
    a->sums = tide_list_new(s->graph, each, n);
    free(each);
    a->numerator = total_of(s, last++);
    if (a->denominator.graph) a->denominator = total_of(s, last++);
    if (s->metric.graph) s->metric = metrics_of(s, last);
    s->exchange->again = tide_compile(TIDE_LIST(tide_assign(a->part, tide_scalar_of(s->graph, TIDE_I32, 0))), NULL);
}

/* ---- a step ---- */

void step_exchange_failed(const train_step *s, tide_status status) {
    if (s->exchange && status == TIDE_EDEVICE) ranks_device_failed(s->exchange->ranks);
}

tide_status step_exchange_rows(const train_step *s, int64_t part, tide_status mine, tide_failure *failure) {
    const step_exchange *e = s->exchange;
    step_exchange_failed(s, mine);
    tide_status status = ranks_meet(e->ranks, mine, s->word, failure);
    if (status == TIDE_OK)
        status = tide_all_gather(e->by, e->from, e->to, part * ranks_count(e->ranks), failure);
    else tide_communicator_abort(e->by);
    if (status == TIDE_OK && part + 1 < s->here) status = tide_run(e->again, NULL, 0);
    step_exchange_failed(s, status);
    return status;
}
