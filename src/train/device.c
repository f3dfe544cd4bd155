/* Which device a run is fastest on: its own step is timed on each. */
#include "device.h"

#include <math.h>
#include <stdio.h>

#include "base/base.h"
#include "options/options.h"
#include "run.h"

enum { MOST_DEVICES = 16, TIMED = 20 };
static const double ALL_SECONDS = 2, LONG = 1;

bool        train_device_open(const char *device) { return device && strcmp(device, "auto") == 0; }
const char *train_device_now(const char *device) { return train_device_open(device) ? "cpu" : device; }

tide_status train_device_there(const char *device, tide_failure *failure) {
    return tide_device_info(train_device_now(device), NULL, failure);
}

/* ---- who takes part ---- */

typedef struct candidate {
    char   name[TRAIN_DEVICE], hardware[sizeof((tide_device *)0)->hardware];
    double ready_s, step_s;   /* until its first step is done; a step after that */
} candidate;

typedef struct contest {
    candidate of[MOST_DEVICES];
    int       count;
    text      left_out;   /* who, and why */
} contest;

/* These are for checking, not for speed. */
static bool takes_part(const char *name) { return strcmp(name, "ref") && strcmp(name, "check"); }

static void leave_out(contest *c, const char *name, const char *why) {
    text_add(&c->left_out, "; %s is left out: %s", name, why);
}

static bool on_cpu(const char *name) { return strcmp(name, "cpu") == 0; }

static void add_candidate(contest *c, const tide_device *d) {
    char       why[TRAIN_DEVICE_WHY];
    double     began = os_seconds();
    candidate *next  = &c->of[c->count];
    if (!on_cpu(d->name) && !train_device_works(d->name, why)) {
        leave_out(c, d->name, why);
        return;
    }
    *next = (candidate){ .ready_s = os_seconds() - began };
    snprintf(next->name, sizeof next->name, "%s", d->name);
    if (d->own_memory) snprintf(next->hardware, sizeof next->hardware, "%s", d->hardware);
    c->count++;
}

static tide_status tell_waiting(const train_trial *t, const tide_device *d, tide_failure *failure) {
    char line[TRAIN_DEVICE_LINE];
    snprintf(line, sizeof line, "device auto: trying %s (%s); making kernels for a device may take it some seconds the "
                                "first time", d->name, d->hardware);
    return t->tell(t->user, line, failure);
}

static tide_status find_candidates(const train_trial *t, contest *c, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (const char *const *name = tide_devices(); *name && c->count < MOST_DEVICES && status == TIDE_OK; name++) {
        tide_device d;
        if (!takes_part(*name) || tide_device_info(*name, &d, NULL) != TIDE_OK) continue;
        if (!on_cpu(*name)) status = tell_waiting(t, &d, failure);
        if (status == TIDE_OK) add_candidate(c, &d);
    }
    return status;
}

/* ---- its time ---- */

/* `count` steps, done and not only queued. */
static tide_status take_steps(const train_sample *s, int count, tide_failure *failure) {
    train_result out[TRAIN_LOG];
    tide_status  status = TIDE_OK;
    bool         queues = train_step_queues(s->step);
    for (int i = 0; i < count && status == TIDE_OK; i++)
        status = queues ? train_step_queue(s->step, s->feeds, s->count, failure)
                        : train_step_run(s->step, s->feeds, s->count, out, failure);
    return status == TIDE_OK && queues ? train_step_read(s->step, count, out, failure) : status;
}

/* A step, then as many as fit into the `seconds`: where they hold no other, its time is that one's. */
static tide_status time_steps(const train_sample *s, double seconds, double *step_s, tide_failure *failure) {
    double      began  = os_seconds();
    tide_status status = take_steps(s, 1, failure);
    *step_s = os_seconds() - began;
    int count = (int)fmin(TIMED, (seconds - *step_s) / *step_s);
    if (status != TIDE_OK || count < 1) return status;
    began   = os_seconds();
    status  = take_steps(s, count, failure);
    *step_s = (os_seconds() - began) / count;
    return status;
}

/* The first step belongs to the making: a driver may put off what it has to do until then. */
static tide_status try_candidate(const train_trial *t, candidate *c, double seconds, double *ready_s,
                                 tide_failure *failure) {
    train_sample s      = { 0 };
    const char  *note   = "";
    double       began  = os_seconds();
    tide_status  status = t->open(t->user, c->name, &s, failure);
    if (status == TIDE_OK) tide_program_device(s.step->program, &note);
    if (*note) status = fail(failure, TIDE_EDEVICE, "%s", note);
    if (status == TIDE_OK) status = take_steps(&s, 1, failure);
    c->ready_s += *ready_s = os_seconds() - began;
    if (status == TIDE_OK) status = time_steps(&s, seconds, &c->step_s, failure);
    t->close(t->user);
    return status;
}

/* Those that cannot run the step go. */
static void time_all(const train_trial *t, contest *c) {
    double left = ALL_SECONDS;
    int    kept = 0;
    for (int i = 0; i < c->count; i++) {
        candidate    one   = c->of[i];
        tide_failure why   = { 0 };
        double       began = os_seconds(), ready_s = 0;
        if (try_candidate(t, &one, left / (c->count - i), &ready_s, &why) == TIDE_OK) c->of[kept++] = one;
        else leave_out(c, one.name, why.message);
        left = fmax(0, left - (os_seconds() - began - ready_s));
    }
    c->count = kept;
}

/* ---- what came of it ---- */

static void add_time(text *line, double seconds) {
    bool long_one = seconds >= 0.9995;
    text_add(line, " %.3g %s", long_one ? seconds : 1e3 * seconds, long_one ? "s" : "ms");
}

static void tell_times(const contest *c, int best, text *line) {
    const candidate *b = &c->of[best];
    double           ready_s = 0;
    text_add(line, "device auto: %s%s%s%s", b->name, *b->hardware ? " (" : "", b->hardware, *b->hardware ? ")" : "");
    add_time(line, b->step_s);
    text_add(line, " a step");
    for (int i = 0; i < c->count; i++) {
        if (i != best) text_add(line, ", %s", c->of[i].name), add_time(line, c->of[i].step_s);
        ready_s += c->of[i].ready_s;
    }
    if (ready_s > LONG) text_add(line, "; until its first step was done on all of them it took %.1f s", ready_s);
}

static int fastest(const contest *c) {
    int best = 0;
    for (int i = 1; i < c->count; i++)
        if (c->of[i].step_s < c->of[best].step_s) best = i;
    return best;
}

static void settle(const contest *c, bool timed, train_device_choice *out) {
    text line = { 0 };
    int  best = fastest(c);
    /* nothing ran: the run itself will say why */
    snprintf(out->device, sizeof out->device, "%s", c->count ? c->of[best].name : "cpu");
    if (timed && c->count) tell_times(c, best, &line);
    else if (timed) text_add(&line, "device auto: cpu");
    else text_add(&line, "device auto: cpu, %s", c->left_out.length ? "which is left" : "the only device here");
    if (c->left_out.length) text_add(&line, "%s", c->left_out.data);
    snprintf(out->line, sizeof out->line, "%s", line.failed || !line.data ? "device auto" : line.data);
    text_free(&line);
}

tide_status train_device_choose(const train_trial *t, train_device_choice *out, tide_failure *failure) {
    contest     c      = { 0 };
    tide_status status = find_candidates(t, &c, failure);
    bool        timed  = c.count > 1;
    if (status == TIDE_OK && timed) time_all(t, &c);
    if (status == TIDE_OK) settle(&c, timed, out);
    text_free(&c.left_out);
    return status;
}

/* ---- of a run ---- */

/* False: it does not say. */
static bool device_of(const char *folder, char out[TRAIN_DEVICE]) {
    char path[FOLDER_PATH];
    if (!folder || !*folder) return false;
    json_t     *run = json_load_file(folder_file(folder, "run.json", path), 0, NULL);
    const char *was = json_string_value(json_object_get(run_options(run), "device"));
    bool        says = was && *was && !train_device_open(was);
    if (says) snprintf(out, TRAIN_DEVICE, "%s", was);
    json_decref(run);
    return says;
}

bool train_device_resumed(const char *folder, train_device_choice *out) {
    if (!device_of(folder, out->device)) return false;
    snprintf(out->line, sizeof out->line, "device auto: %s, which the run was begun on", out->device);
    return true;
}

void train_device_of_run(const char *device, const char *run, int64_t batch, char out[TRAIN_DEVICE]) {
    char was[TRAIN_DEVICE];
    bool takes = train_device_open(device) && batch >= TRAIN_DEVICE_BATCH && device_of(run, was) &&
                 tide_device_info(was, NULL, NULL) == TIDE_OK;
    const char *is = takes ? was : train_device_now(device);
    if (is != out) snprintf(out, TRAIN_DEVICE, "%s", is);
}
