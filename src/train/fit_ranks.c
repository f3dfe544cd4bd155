/* What ranks tell each other around a step: where the run stands when it begins, what a validation found, whether to
 * stop, and whether their parameters are still the same. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "fit_parts.h"

enum { PLACES = 4 };  /* kinds of meetings at a step */

/* ---- meeting ---- */

void fit_begin_word(fit *f) {
    f->word = (rank_word){ .stop = f->wish || atomic_load(&f->cancelled), .clock = fit_elapsed(f),
                           .place = PLACES * f->at.step + 1 };
}

void fit_take_word(fit *f) { f->stop |= f->word.stop, f->clock = f->word.clock; }

tide_status fit_meet(fit *f, tide_status mine, tide_failure *failure) {
    if (!fit_ranks(f)) return mine;
    fit_begin_word(f);
    tide_status status = ranks_meet(fit_ranks(f), mine, &f->word, failure);
    fit_take_word(f);
    return status;
}

/* ---- the state of a run ---- */

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for what the ranks share");
}

static size_t bytes_of(tide_val v) {
    return (size_t)tide_shape_count(tide_shape_of(v)) * tide_dtype_size(tide_dtype_of(v));
}

/* Room for the largest. */
static void *room_for(tide_list list) {
    size_t most = 0;
    for (int64_t i = 0; i < list.count; i++) most = MAX2(most, bytes_of(list.items[i]));
    return malloc(most + 1);
}

/* Each is told as it is on rank 0. A rank that cannot read or write one goes on telling: the others wait for it. */
static tide_status share_values(ranks *r, tide_list list, const tide_snapshot_t *best, tide_failure *failure) {
    void       *room   = room_for(list);
    tide_status status = ranks_meet(r, room ? TIDE_OK : no_memory(failure), NULL, failure), told = status;
    for (int64_t i = 0; told == TIDE_OK && i < list.count; i++) {
        tide_val    v    = list.items[i];
        const void *data = !ranks_lead(r) ? NULL : best ? tide_snapshot_data(best, i) : tide_data(v);
        if (data) memcpy(room, data, bytes_of(v));
        else if (ranks_lead(r) && status == TIDE_OK) status = train_unread(v.graph, "what the ranks share", failure);
        told = ranks_tell(r, room, bytes_of(v), failure);
        if (told != TIDE_OK || status != TIDE_OK || ranks_lead(r)) continue;
        if (tide_write(v, room, bytes_of(v)) != TIDE_OK)
            status = train_unread(v.graph, "what the ranks share", failure);
    }
    free(room);
    return told == TIDE_OK ? ranks_meet(r, status, NULL, failure) : told;
}

/* The best parameters, by way of the present ones. */
static tide_status share_best(fit *f, tide_failure *failure) {
    ranks      *r      = fit_ranks(f);
    tide_list   params = f->model.step->params;
    tide_status status = share_values(r, params, f->best, failure);
    if (status != TIDE_OK || f->best) return status;
    f->best = tide_snapshot(params);
    return f->best ? TIDE_OK : train_unread(f->model.step->graph, "the best parameters", failure);
}

tide_status fit_share(fit *f, tide_failure *failure) {
    ranks    *r   = fit_ranks(f);
    bool      any = f->best != NULL;
    tide_list all = { 0 };
    if (!r) return TIDE_OK;
    tide_status status = checkpoint_variables(f, &all, failure);
    status             = ranks_meet(r, status, NULL, failure);
    if (status == TIDE_OK) status = train_step_meet(f->model.step, failure);
    if (status == TIDE_OK) status = ranks_tell(r, &f->at, sizeof f->at, failure);
    if (status == TIDE_OK) status = ranks_tell(r, &any, sizeof any, failure);
    if (status == TIDE_OK && any) status = share_best(f, failure);
    if (status == TIDE_OK) status = share_values(r, all, NULL, failure);
    return ranks_meet(r, status, NULL, failure);
}

/* ---- are they the same? ---- */

/* A sum over all bits in their order. */
static uint64_t mixed(uint64_t sum, const void *data, size_t bytes) {
    const unsigned char *at = data;
    for (; bytes >= sizeof(uint64_t); at += sizeof(uint64_t), bytes -= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        sum = (sum ^ word) * 0x9E3779B97F4A7C15u;
        sum ^= sum >> 29;
    }
    for (; bytes; at++, bytes--) sum = (sum ^ *at) * 0x100000001B3u;
    return sum;
}

tide_status fit_compare(fit *f, tide_failure *failure) {
    ranks    *r = fit_ranks(f);
    tide_list params = f->model.step->params;
    uint64_t  sum = 0, first;
    if (!r) return TIDE_OK;
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < params.count; i++) {
        const void *data = tide_data(params.items[i]);
        if (data) sum = mixed(sum, data, bytes_of(params.items[i]));
        else status = train_unread(f->model.step->graph, "the parameters", failure);
    }
    status = fit_meet(f, status, failure);
    first  = sum;
    if (status == TIDE_OK) status = ranks_tell(r, &first, sizeof first, failure);
    if (status == TIDE_OK && first != sum)
        status = fail(failure, TIDE_EIO,
                      "its parameters are not those of rank 0 any more: are all ranks of one kind of processor, with "
                      "the same libraries?");
    return fit_meet(f, status, failure);
}

/* ---- validating ---- */

static tide_status validate(fit *f, const fit_place *at, double row[FIT_VALUES], tide_failure *failure) {
    bool here = ranks_lead(fit_ranks(f)) || f->model.validate_divides;
    return here ? f->model.validate(f->model.user, at, row, failure) : TIDE_OK;
}

/* One that was stopped is a wish to stop: what others found meanwhile is left. */
tide_status fit_validate(fit *f, const fit_place *at, double row[FIT_VALUES], tide_failure *failure) {
    tide_failure why = { 0 };
    if (!f->model.validate) return TIDE_OK;
    tide_status status = validate(f, at, row, &why);
    if (fit_ranks(f)) {
        f->wish |= status == TIDE_ECANCELLED;
        if (status == TIDE_ECANCELLED) status = TIDE_OK;
        status = fit_meet(f, status, &why);
        if (status == TIDE_OK && f->stop) status = TIDE_ECANCELLED, f->wish = f->stop = false, f->parted = true;
        if (status == TIDE_OK) status = ranks_tell(fit_ranks(f), row, sizeof *row * FIT_VALUES, &why);
    }
    if (status != TIDE_OK && failure && !failure->status) *failure = why;
    return status;
}
