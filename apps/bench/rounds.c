/* All that was asked for, one after the other; beside a script: ours, theirs, ours, theirs. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "parts.h"

enum { ROUNDS = 3, ROUNDS_MOST = 99, WORDS_MOST = 64, WORD = 32 };

/* ---- lists by commas ---- */

typedef struct words { char word[WORDS_MOST][WORD]; int count; } words;

static tide_status split(const char *text, words *out, tide_failure *failure) {
    for (out->count = 0; *text; text += strspn(text, ",")) {
        size_t length = strcspn(text, ",");
        if (length == 0) continue;
        if (length >= WORD || out->count == WORDS_MOST)
            return fail(failure, TIDE_EINVAL, "\"%.60s\" is too long or one of too many", text);
        snprintf(out->word[out->count++], WORD, "%.*s", (int)length, text);
        text += length;
    }
    return out->count ? TIDE_OK : fail(failure, TIDE_EINVAL, "the list is empty: give names, separated by commas");
}

static tide_status precision_of(const char *word, tide_precision *out, tide_failure *failure) {
    for (int p = TIDE_PRECISION_F32; p <= TIDE_PRECISION_AUTO; p++)
        if (strcmp(word, tide_precision_name((tide_precision)p)) == 0) return *out = (tide_precision)p, TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "precision",
                   "there is no precision \"%s\"; available: f32, bf16, f16, auto", word);
}

typedef struct plan {
    words cases, precisions, modes;
    const char *python, *mode_list;
    int rounds;
} plan;

static tide_status check_words(const plan *p, const char *device, tide_failure *failure) {
    tide_precision precision;
    bench_mode     mode;
    for (int i = 0; i < p->cases.count; i++)
        if (!bench_spec_named(p->cases.word[i]))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "cases", "there is no case \"%s\"; available: %s",
                           p->cases.word[i],
                           bench_case_names());
    for (int i = 0; i < p->precisions.count; i++)
        if (precision_of(p->precisions.word[i], &precision, failure)) return TIDE_EINVAL;
    for (int i = 0; i < p->modes.count; i++)
        if (!bench_mode_named(p->modes.word[i], &mode))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "peer-modes", "there is no mode \"%s\"; available: %s",
                           p->modes.word[i], bench_mode_names("cuda"));
        else if ((int)mode >= bench_modes_on(device))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "peer-modes",
                           "the mode \"%s\" captures the step in a CUDA graph: it needs the device cuda",
                           p->modes.word[i]);
    return TIDE_OK;
}

static tide_status make_plan(const bench_options *o, plan *p, tide_failure *failure) {
    *p = (plan){ .python = o->python ? o->python : "python3",
                 .mode_list = o->modes ? o->modes : bench_mode_names(o->device),
                 .rounds = o->rounds > 0 ? MIN2(o->rounds, ROUNDS_MOST)
                           : o->against  ? ROUNDS
                                         : 1 };
    tide_status status = split(o->cases ? o->cases : "etth1,m1,ecl,traffic,eis512,eis8192", &p->cases, failure);
    if (status == TIDE_OK) status = split(o->precisions ? o->precisions : "f32", &p->precisions, failure);
    if (status == TIDE_OK) status = split(p->mode_list, &p->modes, failure);
    if (status == TIDE_OK) status = check_words(p, o->device, failure);
    if (status != TIDE_OK || !o->against) return status;
    FILE *script = fopen(o->against, "r");
    if (!script) return fail_at(failure, TIDE_EINVAL, o->against, 0, "against", "%s cannot be read", o->against);
    fclose(script);
    return bench_peer_available(p->python, o->against, (bench_watch){ o->stop, o->user }, failure);
}

/* ---- one case ---- */

/* Of every round of one case: ours in each precision, and theirs. */
typedef struct history {
    bench_result *ours;    /* [precision][round] */
    bench_peer    theirs[ROUNDS_MOST];
} history;

static double main_ms(const bench_result *r) { return bench_main_program(r)->times.p50_ms; }

/* The round whose step is nearest to the median over the rounds, with the roof that was the highest. */
static void settle(const bench_result *round, int rounds, bench_entry *e) {
    double step[ROUNDS_MOST], one[ROUNDS_MOST], queued[ROUNDS_MOST], roof = 0;
    const bench_result *best = round;
    for (int i = 0; i < rounds; i++) {
        step[i]   = main_ms(&round[i]), one[i] = round[i].one.times.p50_ms, roof = MAX2(roof, round[i].roof_gflops);
        queued[i] = bench_main_program(&round[i])->times.queued_ms;
    }
    e->step_ms   = bench_median(step, rounds), e->infer_ms = bench_median(one, rounds);
    e->queued_ms = bench_median(queued, rounds);
    for (int i = 1; i < rounds; i++) {
        double here = main_ms(&round[i]) - e->step_ms, there = main_ms(best) - e->step_ms;
        if (here * here < there * there) best = &round[i];
    }
    e->result = *best;
    e->result.roof_gflops = roof;
}

static bench_peer settled_peer(bench_peer *round, int rounds) {
    bench_peer out = round[0];
    for (int m = 0; m < BENCH_MODES; m++)
        for (int f = 0; f < BENCH_PEER_FIGURES; f++) {
            double values[ROUNDS_MOST];
            for (int i = 0; i < rounds; i++) values[i] = *bench_peer_value(&round[i].mode[m], f);
            *bench_peer_value(&out.mode[m], f) = bench_median(values, rounds);
        }
    return out;
}

static tide_status run_peer(const bench_options *o, const bench_peer_call *call, bench_peer *out,
                            tide_failure *failure) {
    char line[BENCH_NOTE];
    snprintf(line, sizeof line, "%s: the script, %s", call->name, call->modes);
    if (o->tell && !o->tell(o->user, line)) return bench_cancelled(failure);
    return bench_peer_run(call, out, failure);
}

static tide_status run_round(const bench_options *o, const plan *p, const bench_spec *spec, int round, history *h,
                             tide_failure *failure) {
    bench_settings settings = {
        .device = o->device, .threads = o->threads, .mode = o->mode, .seconds = o->seconds,
        .stop = o->stop, .tell = o->tell, .explain = round ? NULL : o->explain, .user = o->user
    };
    tide_status     status   = TIDE_OK;
    for (int i = 0; i < p->precisions.count && status == TIDE_OK; i++) {
        status = precision_of(p->precisions.word[i], &settings.precision, failure);
        if (status == TIDE_OK) status = bench_case(spec, &settings, &h->ours[i * p->rounds + round], failure);
    }
    if (status != TIDE_OK || !o->against) return status;
    bench_peer_call call = { .python = p->python, .script = o->against, .name = spec->name, .modes = p->mode_list,
                             .device = bench_on_cuda(o->device) ? o->device : NULL,
                             .threads = h->ours[round].threads, .seconds = o->seconds > 0 ? o->seconds : 3,
                             .watch = { o->stop, o->user } };
    return run_peer(o, &call, &h->theirs[round], failure);
}

static tide_status run_case(const bench_options *o, const plan *p, const bench_spec *spec, bench_report *out,
                            tide_failure *failure) {
    history    *h      = calloc(1, sizeof *h);
    tide_status status = h && (h->ours = calloc((size_t)(p->precisions.count * p->rounds), sizeof *h->ours)) ? TIDE_OK
                         : fail(failure, TIDE_ENOMEM, "out of memory for results");
    for (int i = 0; i < p->rounds && status == TIDE_OK; i++) status = run_round(o, p, spec, i, h, failure);
    for (int i = 0; i < p->precisions.count && status == TIDE_OK; i++) {
        bench_entry *e = &out->entry[out->count++];
        settle(h->ours + i * p->rounds, p->rounds, e);
        if (o->against) e->peer = settled_peer(h->theirs, p->rounds);
    }
    if (h) free(h->ours);
    free(h);
    return status;
}

/* ---- all ---- */

static tide_status open_report(bench_report *out, const char *device, int64_t count, tide_failure *failure) {
    if (tide_device_info(device, &out->device, failure) != TIDE_OK) return TIDE_EDEVICE;
    machine_detect(NULL, &out->here);
    bench_commit(out->commit);
    out->entry = calloc((size_t)count, sizeof *out->entry);
    return out->entry ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for results");
}

static void close_report(bench_report *out, double began) {
    out->threads = out->count ? out->entry[0].result.threads : 0;
    out->total_s = os_seconds() - began;
}

tide_status bench_run(const bench_options *o, bench_report *out, tide_failure *failure) {
    plan p;
    *out = (bench_report){ .compared = o->against != NULL };
    double      began  = os_seconds();
    tide_status status = make_plan(o, &p, failure);
    if (status != TIDE_OK) return status;
    out->rounds = p.rounds;
    status      = open_report(out, o->device, p.cases.count * p.precisions.count, failure);
    for (int i = 0; i < p.cases.count && status == TIDE_OK; i++)
        status = run_case(o, &p, bench_spec_named(p.cases.word[i]), out, failure);
    close_report(out, began);
    return status;
}

tide_status bench_report_case(const bench_spec *spec, const bench_settings *s, bench_report *out,
                              tide_failure *failure) {
    *out = (bench_report){ .rounds = 1 };
    double       began  = os_seconds();
    tide_status  status = open_report(out, s->device, 1, failure);
    if (status != TIDE_OK) return status;
    status = bench_case(spec, s, &out->entry[0].result, failure);
    settle(&out->entry[0].result, 1, &out->entry[0]);
    out->count = status == TIDE_OK;
    close_report(out, began);
    return status;
}

void bench_report_free(bench_report *r) {
    free(r->entry);
    *r = (bench_report){ 0 };
}
