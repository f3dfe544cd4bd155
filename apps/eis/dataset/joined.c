/* A data set that several processes make, of one machine or of several (files/pieces.h): a piece is a shard. The
 * statistics are sums that come to the same in any order: each shard's counts, then, once all are there, each shard's
 * values in the bins that hold a quantile, both kept until the last process leaves. Residual norms are computed twice,
 * as no process has them all. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/options/arguments.h"
#include "eis/options/tell.h"
#include "files/owned.h"
#include "files/pieces.h"
#include "generate.h"
#include "options/options.h"
#include "survey_tally.h"

static const char counts_name[] = "counts", picks_name[] = "picks";

typedef struct joined {
    const eis_options *options;
    const survey      *survey;
    shard_run         *run;
    pieces            *pieces;
    survey_wanted      wanted;
    eis_listener       listener;
    void              *user;
    double             told;
} joined;

static tide_status no_memory(tide_failure *f) { return fail(f, TIDE_ENOMEM, "out of memory for the residual norms"); }

/* ---- the ground truths of a shard ---- */

/* A survey of these alone, with their values. */
static bool part_new(const joined *j, int64_t i, survey *part) {
    int64_t first = i * j->run->each;
    *part         = *j->survey;
    part->truth += first, part->truths = MIN2(j->run->each, j->survey->truths - first), part->threads = 1;
    part->kept      = malloc((size_t)(part->truths * part->grid.values) * sizeof *part->kept);
    double *scratch = malloc((size_t)resnorm_grid_scratch(&part->grid) * sizeof *scratch);
    bool    fine    = part->kept && scratch;
    for (int64_t t = 0; fine && t < part->truths; t++)
        resnorm_grid_fill(&part->grid, part->truth[t].p, part->kept + t * part->grid.values, scratch);
    free(scratch);
    return fine;
}

static void part_free(survey *part) { free(part->kept); }

static const double *values_of(const survey *part, int64_t t) { return part->kept + t * part->grid.values; }

/* ---- counts ---- */

/* Lowest, highest, then a pair for each bin that is not empty. */
typedef struct bin_count { int64_t bin; uint64_t count; } bin_count;
typedef struct extremes { double low, high; } extremes;

static tide_status put_counts(const joined *j, int64_t i, const survey_counts *c, tide_failure *f) {
    int64_t used = 0;
    for (int64_t b = 0; b < ORDER_BINS; b++) used += c->histogram[b] != 0;
    size_t     bytes = sizeof(extremes) + (size_t)used * sizeof(bin_count);
    char      *data  = malloc(bytes);
    bin_count *to    = data ? (bin_count *)(void *)(data + sizeof(extremes)) : NULL;
    if (!data) return no_memory(f);
    memcpy(data, &(extremes){ c->low, c->high }, sizeof(extremes));
    for (int64_t b = 0; b < ORDER_BINS; b++)
        if (c->histogram[b]) *to++ = (bin_count){ b, c->histogram[b] };
    tide_status status = pieces_put(j->pieces, counts_name, i, data, bytes, f);
    free(data);
    return status;
}

static tide_status damaged(const joined *j, const char *name, int64_t i, tide_failure *f) {
    char path[FOLDER_PATH];
    return fail_at(f, TIDE_EDATA, pieces_path(j->pieces, name, i, path), 0, NULL,
                   "%s is damaged: remove it and run again", path);
}

static tide_status add_counts(const joined *j, int64_t i, survey_counts *all, tide_failure *f) {
    void       *data  = NULL;
    size_t      bytes = 0;
    tide_status status = pieces_get(j->pieces, counts_name, i, &data, &bytes, f);
    if (status != TIDE_OK) return status;
    size_t           rest = bytes - sizeof(extremes);
    const bin_count *from = (const bin_count *)(const void *)((const char *)data + sizeof(extremes));
    extremes         e;
    if (bytes < sizeof e || rest % sizeof *from) status = damaged(j, counts_name, i, f);
    else memcpy(&e, data, sizeof e), all->low = fmin(all->low, e.low), all->high = fmax(all->high, e.high);
    for (size_t k = 0; status == TIDE_OK && k < rest / sizeof *from; k++) {
        if (from[k].bin < 0 || from[k].bin >= ORDER_BINS) status = damaged(j, counts_name, i, f);
        else all->histogram[from[k].bin] += from[k].count;
    }
    free(data);
    return status;
}

/* ---- picks ---- */

/* How many of each pick, then all of them. */
static tide_status put_picks(const joined *j, int64_t i, survey_found found[PICKS], tide_failure *f) {
    int64_t count[PICKS], all = 0;
    bool    failed = false;
    for (int k = 0; k < PICKS; k++) count[k] = found[k].count, all += count[k], failed |= found[k].failed;
    size_t  bytes = sizeof count + (size_t)all * sizeof(double);
    char   *data  = failed ? NULL : malloc(bytes), *to = data ? data + sizeof count : NULL;
    if (!data) return no_memory(f);
    memcpy(data, count, sizeof count);
    for (int k = 0; k < PICKS; to += sizeof(double) * (size_t)count[k], k++)
        if (count[k]) memcpy(to, found[k].data, sizeof(double) * (size_t)count[k]);
    tide_status status = pieces_put(j->pieces, picks_name, i, data, bytes, f);
    free(data);
    return status;
}

static tide_status add_picks(const joined *j, int64_t i, survey_found found[PICKS], tide_failure *f) {
    void       *data  = NULL;
    size_t      bytes = 0;
    int64_t     count[PICKS], all = 0;
    tide_status status = pieces_get(j->pieces, picks_name, i, &data, &bytes, f);
    if (status != TIDE_OK) return status;
    int64_t most = (int64_t)(bytes / sizeof(double));
    if (bytes >= sizeof count) memcpy(count, data, sizeof count);
    else memset(count, 0xff, sizeof count);
    for (int k = 0; k < PICKS && all >= 0; k++) all = count[k] < 0 || count[k] > most ? -1 : all + count[k];
    if (all < 0 || bytes != sizeof count + (size_t)all * sizeof(double)) status = damaged(j, picks_name, i, f);
    double *from = (double *)(void *)((char *)data + sizeof count);
    for (int k = 0; status == TIDE_OK && k < PICKS; from += count[k], k++)
        survey_found_add(&(survey_found){ .data = from, .count = count[k] }, &found[k]);
    free(data);
    return status;
}

/* ---- the tasks ---- */

static bool tell(void *user, int64_t done) {
    joined *j = user;
    char    line[96];
    if (!j->listener || os_seconds() - j->told < 2) return false;
    j->told = os_seconds();
    snprintf(line, sizeof line, "%" PRId64 " of %" PRId64 " shards, by all processes", done, j->run->count);
    eis_event event = eis_event_of(EIS_NOTE, line);
    event.done = done, event.total = j->run->count;
    return j->listener(j->user, &event) != 0;
}

static tide_status begin_manifest(void *user, int64_t i, int thread, tide_failure *f) {
    joined *j = user;
    (void)i, (void)thread;
    return shard_run_manifest(j->run, false, f);
}

static tide_status end_manifest(void *user, int64_t i, int thread, tide_failure *f) {
    joined *j = user;
    (void)i, (void)thread;
    return shard_run_manifest(j->run, true, f);
}

static bool has_shard(void *user, int64_t i) {
    const joined *j = user;
    return pieces_has(j->pieces, counts_name, i) && shard_run_has(j->run, i);
}

static tide_status make_shard(void *user, int64_t i, int thread, tide_failure *f) {
    const joined *j = user;
    survey        part;
    survey_counts counts = { 0 };
    (void)thread;
    tide_status status = part_new(j, i, &part) && survey_counts_new(&counts) ? TIDE_OK : no_memory(f);
    if (status == TIDE_OK) status = shard_run_make(j->run, i, &part, f);
    for (int64_t t = 0; status == TIDE_OK && t < part.truths; t++) survey_count(&part, values_of(&part, t), &counts);
    if (status == TIDE_OK) status = put_counts(j, i, &counts, f);
    survey_counts_free(&counts);
    part_free(&part);
    return status;
}

static bool has_picks(void *user, int64_t i) { return pieces_has(((joined *)user)->pieces, picks_name, i); }

static tide_status make_picks(void *user, int64_t i, int thread, tide_failure *f) {
    const joined *j = user;
    survey        part;
    survey_found  found[PICKS] = { { 0 } };
    (void)thread;
    tide_status status = part_new(j, i, &part) ? TIDE_OK : no_memory(f);
    for (int64_t t = 0; status == TIDE_OK && t < part.truths; t++)
        survey_pick(&part, &j->wanted, values_of(&part, t), found);
    if (status == TIDE_OK) status = put_picks(j, i, found, f);
    survey_found_free(found);
    part_free(&part);
    return status;
}

/* ---- together ---- */

/* Every process puts the statistics together: each has a report. */
static tide_status settle(joined *j, survey *s, survey_counts *all, tide_failure *f) {
    survey_found found[PICKS] = { { 0 } };
    tide_status  status       = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < j->run->count; i++) status = add_picks(j, i, found, f);
    if (status == TIDE_OK && !survey_settle(s, all, &j->wanted, found)) status = no_memory(f);
    survey_found_free(found);
    return status;
}

static tide_status make_all(joined *j, survey *s, int64_t *made, tide_failure *f) {
    const pieces_task begin = { .count = 1, .threads = 1, .make = begin_manifest, .user = j };
    const pieces_task shards = { .count = j->run->count, .threads = s->threads, .is_made = has_shard,
                                 .make = make_shard, .stop = tell, .user = j };
    const pieces_task picks = { .count = j->run->count, .threads = s->threads, .is_made = has_picks,
                                .make = make_picks, .stop = tell, .user = j };
    const pieces_task end = { .count = 1, .threads = 1, .make = end_manifest, .user = j };
    survey_counts all;
    tide_status   status = survey_counts_new(&all) ? TIDE_OK : no_memory(f);
    if (status == TIDE_OK) status = pieces_do(j->pieces, &begin, NULL, f);
    if (status == TIDE_OK) status = pieces_do(j->pieces, &shards, made, f);
    for (int64_t i = 0; status == TIDE_OK && i < j->run->count; i++) status = add_counts(j, i, &all, f);
    if (status == TIDE_OK && !survey_want(s, &all, &j->wanted)) status = no_memory(f);
    if (status == TIDE_OK) status = pieces_do(j->pieces, &picks, NULL, f);
    if (status == TIDE_OK) status = settle(j, s, &all, f);
    if (status == TIDE_OK) status = pieces_do(j->pieces, &end, NULL, f);
    survey_counts_free(&all);
    survey_wanted_free(&j->wanted);
    return status;
}

tide_status generate_joined(const eis_options *o, survey *s, shard_run *run, eis_listener listener, void *user,
                            int64_t *made, tide_failure *failure) {
    joined      j      = { .options = o, .survey = s, .run = run, .listener = listener, .user = user,
                           .told = os_seconds() };
    json_t     *words  = pieces_options(eis_table(), o, EIS_FOR_GENERATE);
    tide_status status = words ? owned_claim(run->folder, (const char *const[]){ NULL }, failure) : no_memory(failure);
    if (status == TIDE_OK) status = pieces_join(run->folder, words, false, &j.pieces, failure);
    if (status == TIDE_OK) status = make_all(&j, s, made, failure);
    pieces_leave(j.pieces, status == TIDE_OK);
    json_decref(words);
    return status;
}
