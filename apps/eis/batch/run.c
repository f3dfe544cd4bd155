/* Rows laid out, answered, and filled. Which thread answers which spectrum, and in which run, leaves no trace: an
 * answer is what its line in the journal says. */
#include "run.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/parallel.h"
#include "base/sha256.h"
#include "base/json.h"
#include "eis/options/tell.h"
#include "joined.h"
#include "line.h"

static const double told_every = 0.2; /* seconds */

typedef struct running {
    batch_run *run;
    batch_row *row;
    eis_spectrum *spectrum; /* by item, with the area that counts */
    char (*key)[65];
    int64_t *todo, todos; /* items that the journal has no answer on */
    atomic_bool stopped;
    atomic_llong done;
    double told; /* os_seconds() */
    pthread_mutex_t lock;
    tide_failure why; /* of the first that was no matter of its spectrum */
} running;

/* ---- rows ---- */

static void add_note(arena *memory, batch_row *row, const char *note) {
    if (*note) row->note = arena_printf(memory, "%s%s%s", row->note, *row->note ? "; " : "", note);
}

/* A time that is a number is the same time however it is written: 0,5 and 0.50. */
static void put_planned(arena *memory, batch_row *row, const plate_row *of) {
    char number[32];
    if (!of) return;
    row->planned = true;
    row->well = of->well, row->condition = of->condition, row->donor = of->donor, row->time = of->time;
    row->time_number = of->time_number, row->area_cm2 = of->area_cm2;
    if (isfinite(of->time_number) && num_format(number, of->time_number, false))
        row->time = arena_printf(memory, "%s", number);
}

/* The plate's area comes before the option's, and this before the file's. */
static void put_area(const batch_run *run, batch_row *row, const eis_spectrum *s) {
    if (isfinite(row->area_cm2)) return;
    if (run->options->area_cm2 > 0) row->area_cm2 = run->options->area_cm2;
    else if (s && s->area_cm2 > 0) row->area_cm2 = s->area_cm2;
}

static batch_row empty_row(int64_t order, const char *file) {
    return (batch_row){ .order = order,
                        .file = file,
                        .sweep = "",
                        .well = "",
                        .condition = "",
                        .donor = "",
                        .time = "",
                        .reason = "",
                        .note = "",
                        .time_number = NAN,
                        .area_cm2 = NAN,
                        .kk_rmse = NAN,
                        .noise = NAN,
                        .circuit = "",
                        .chi2 = NAN };
}

static const char *sweep_of(const measured_item *item) {
    bool only = !item->spectrum || strcmp(item->spectrum->name, item->path) == 0;
    return only ? "" : item->spectrum->name;
}

/* The reason stands beside the name. */
static const char *without_name(const measured_item *item) {
    const char *message = item->why.message;
    size_t length = strlen(item->path);
    bool named = strncmp(message, item->path, length) == 0 && strncmp(message + length, ": ", 2) == 0;
    return named ? message + length + 2 : message;
}

static void lay_item(running *r, int64_t i) {
    const measured_item *item = &r->run->measured.item[i];
    batch_row *row = &r->row[i];
    *row = empty_row(i, item->path);
    row->sweep = sweep_of(item);
    if (r->run->plate.path) put_planned(&r->run->memory, row, r->run->plate.item[i]);
    put_area(r->run, row, item->spectrum);
    if (!item->spectrum) row->reason = arena_printf(&r->run->memory, "%s", without_name(item));
    if (!item->spectrum) return;
    const batch_blank *beside = blanks_item(&r->run->blanks, i);
    if (beside && beside->why.status != TIDE_OK) row->reason = arena_printf(&r->run->memory, "%s", beside->why.message);
    r->spectrum[i] = *item->spectrum;
    r->spectrum[i].area_cm2 = isfinite(row->area_cm2) ? row->area_cm2 : 0;
    row->spectrum = &r->spectrum[i];
}

static bool was_read(const batch_run *run, const char *file) {
    for (int64_t i = 0; i < run->measured.files; i++)
        if (plate_names_file(file, run->measured.path[i])) return true;
    return false;
}

/* What the plate names and no file has is a row, too. */
static void lay_unfound(batch_run *run, batch_row *row, int64_t *count) {
    for (int64_t i = 0; i < run->plate.count; i++) {
        const plate_row *of = &run->plate.of[i];
        const char *word = *of->sweep ? of->sweep : of->well;
        if (of->path) continue;
        row[*count] = empty_row(*count, of->file);
        row[*count].sweep = of->sweep;
        put_planned(&run->memory, &row[*count], of);
        row[(*count)++].reason =
            was_read(run, of->file)
                ? arena_printf(&run->memory, "%s, line %lld: %s has no sweep %s", run->plate.path, (long long)of->line,
                               of->file, word)
                : arena_printf(&run->memory, "%s, line %lld: none of the files that were read is %s", run->plate.path,
                               (long long)of->line, of->file);
    }
}

/* What the plate lacks, and what its blank was found to be. */
static void note_plate(batch_run *run, batch_row *row, const batch_blank *beside) {
    const char *path = run->plate.path;
    if (!path) return;
    if (beside && beside->is.count && run->blanks.count > 1) add_note(&run->memory, row, beside->is.note);
    if (!row->planned) add_note(&run->memory, row, arena_printf(&run->memory, "%s has no row for it", path));
    else if (isnan(row->area_cm2))
        add_note(&run->memory, row, arena_printf(&run->memory, "%s has no area_cm2 for it: nothing per area", path));
}

static void lay_rows(running *r) {
    batch_run *run = r->run;
    int64_t count = run->measured.count;
    r->row = arena_new(&run->memory, batch_row, count + run->plate.count);
    r->spectrum = arena_new(&run->memory, eis_spectrum, count);
    for (int64_t i = 0; i < count; i++) lay_item(r, i);
    lay_unfound(run, r->row, &count);
    bool screened = run->options->screen;
    run->rows = (batch_rows){ r->row,
                              count,
                              0,
                              screened ? "arcs" : run->fit->circuit,
                              run->plate.path != NULL,
                              screened,
                              (eis_weights)run->fit->weights,
                              run->fit->robust };
}

/* ---- which are to be answered ---- */

/* Of what the answer depends on, but for the options. */
static void key_of(const eis_spectrum *s, const batch_blank *beside, char key[65]) {
    sha256 h;
    sha256_begin(&h);
    measured_hash(&h, s);
    if (beside && beside->is.count) sha256_add(&h, beside->is.value, (size_t)beside->is.count * sizeof(double));
    sha256_end(&h, key);
}

/* Of an earlier run or of this one there is an answer, or will be. */
static bool is_asked(const batch_row *row) { return row->spectrum && !*row->reason; }

static void find_work(running *r) {
    batch_run *run = r->run;
    r->key = (char(*)[65])arena_alloc(&run->memory, (size_t)run->measured.count * sizeof *r->key);
    r->todo = arena_new(&run->memory, int64_t, run->measured.count);
    for (int64_t i = 0; i < run->measured.count; i++) {
        if (!is_asked(&r->row[i])) continue;
        key_of(r->row[i].spectrum, blanks_item(&run->blanks, i), r->key[i]);
        const json_t *line = journal_find(&run->journal, r->key[i]);
        batch_row scratch = r->row[i];
        if (!line || !line_read(line, &run->memory, &scratch)) r->todo[r->todos++] = i;
    }
}

static tide_status tell_taken(const running *r, tide_failure *failure) {
    char line[128];
    int64_t have = 0;
    for (int64_t i = 0; i < r->run->measured.count; i++) have += is_asked(&r->row[i]);
    if (have == r->todos) return TIDE_OK;
    snprintf(line, sizeof line, "%" PRId64 " of %" PRId64 " spectra were answered by an earlier run of this batch",
             have - r->todos, have);
    return eis_tell(r->run->listener, r->run->user, EIS_NOTE, line) ? fail(failure, TIDE_ECANCELLED, "stopped")
                                                                    : TIDE_OK;
}

/* ---- answering ---- */

typedef struct worker {
    running *r;
    bool calls; /* the thread that called: only this one asks the listener */
} worker;

static int relay(void *user, const eis_event *event) {
    const worker *w = user;
    const batch_run *run = w->r->run;
    if (w->calls && run->listener && run->listener(run->user, event) != 0) atomic_store(&w->r->stopped, true);
    return atomic_load(&w->r->stopped);
}

static void tell_progress(worker *w) {
    running *r = w->r;
    long long done = atomic_fetch_add(&r->done, 1) + 1;
    char line[64];
    if (!w->calls || r->todos == 1 || os_seconds() - r->told < told_every) return;
    r->told = os_seconds();
    snprintf(line, sizeof line, "%lld of %" PRId64 " spectra answered", done, r->todos);
    eis_event event = eis_event_of(EIS_PROGRESS, line);
    event.done = done, event.total = r->todos;
    relay(w, &event);
}

static void stop_for(running *r, const tide_failure *why) {
    pthread_mutex_lock(&r->lock);
    if (r->why.status == TIDE_OK && why->status != TIDE_ECANCELLED) r->why = *why;
    pthread_mutex_unlock(&r->lock);
    atomic_store(&r->stopped, true);
}

static tide_status answer_item(running *r, int64_t item, worker *w, int thread, json_t **line, tide_failure *why) {
    batch_run *run = r->run;
    const batch_blank *beside = blanks_item(&run->blanks, item);
    line_asked q = { run->circuit ? &beside->circuit : NULL, run->fit, beside ? &beside->is : NULL, run->model,
                     thread };
    return run->options->screen ? line_screen(&q, &r->spectrum[item], line, why)
                                : line_solve(&q, &r->spectrum[item], relay, w, line, why);
}

static void answer_one(void *of, int64_t i, int thread) {
    running *r = of;
    worker w = { r, thread == 0 };
    int64_t item = r->todo[i];
    json_t *line = NULL;
    tide_failure why = { 0 };
    if (atomic_load(&r->stopped)) return;
    tide_status status = answer_item(r, item, &w, thread, &line, &why);
    if (status == TIDE_OK) status = journal_add(&r->run->journal, r->key[item], line, &why);
    if (status != TIDE_OK) stop_for(r, &why);
    tell_progress(&w);
}

static int threads_of(const batch_run *run) {
    return run->options->threads ? (int)run->options->threads : os_cores();
}

static tide_status answer_all(running *r, tide_failure *failure) {
    parallel_for(threads_of(r->run), r->todos, 1, answer_one, r);
    if (r->why.status != TIDE_OK && failure) *failure = r->why;
    if (r->why.status != TIDE_OK) return r->why.status;
    if (!atomic_load(&r->stopped)) return TIDE_OK;
    return fail(failure, TIDE_ECANCELLED, "stopped during the batch%s",
                *r->run->options->out ? ": the same command goes on from there" : "");
}

/* ---- with other processes ---- */

/* Spectra of a piece: some tenths of a second, beside which a lock and a file are little. */
static int64_t piece_of(const batch_run *run) {
    enum { SCREENED = 256, FITTED = 8, CHOSEN = 1 };
    return run->options->screen ? SCREENED : fit_is_auto(run->fit) ? CHOSEN : FITTED;
}

static tide_status answer_shared(void *user, int64_t item, int thread, json_t **line, tide_failure *failure) {
    running *r = user;
    worker w = { r, thread == 0 };
    tide_status status = answer_item(r, item, &w, thread, line, failure);
    if (status != TIDE_OK || !atomic_load(&r->stopped)) return status;
    json_decref(*line), *line = NULL;
    return fail(failure, TIDE_ECANCELLED, "stopped: the same command goes on from there");
}

static bool tell_shared(void *user, int64_t done) {
    running *r = user;
    char line[80];
    if (os_seconds() - r->told < told_every) return atomic_load(&r->stopped);
    r->told = os_seconds();
    snprintf(line, sizeof line, "%" PRId64 " of %" PRId64 " spectra answered, by all processes", done,
             r->run->measured.count);
    eis_event event = eis_event_of(EIS_PROGRESS, line);
    event.done = done, event.total = r->run->measured.count;
    return relay(&(worker){ r, true }, &event) != 0;
}

static void add_words(sha256 *h, const char *const *word, size_t count) {
    for (size_t i = 0; i < count; i++) sha256_add(h, word[i], strlen(word[i]) + 1);
}

/* What all must have the same beside the journal's head: the spectra, and what the plate says of them. */
static json_t *words_of(const running *r) {
    const batch_run *run = r->run;
    char spectra[65], plate[65];
    sha256 s, p;
    sha256_begin(&s), sha256_begin(&p);
    for (int64_t i = 0; i < run->rows.count; i++) {
        const batch_row *row = &r->row[i];
        add_words(&s, (const char *const[]){ row->file, row->sweep, row->reason, is_asked(row) ? r->key[i] : "" }, 4);
        add_words(&p, (const char *const[]){ row->well, row->condition, row->donor, row->time }, 4);
        sha256_add(&p, &row->area_cm2, sizeof row->area_cm2);
    }
    sha256_end(&s, spectra), sha256_end(&p, plate);
    json_t *o = json_deep_copy(run->head);
    o = json_with(o, "decimal", json_text(run->options->decimal));
    o = json_with(o, "spectrum", json_sprintf("%lld, SHA-256 %s", (long long)run->measured.count, spectra));
    return json_with(o, "samples", json_sprintf("%s%s", *run->options->samples ? "SHA-256 " : "", plate));
}

static tide_status join(running *r, tide_failure *failure) {
    batch_run *run = r->run;
    json_t *words = words_of(r);
    tide_status status = words ? pieces_join(run->options->out, words, false, &run->pieces, failure)
                               : fail(failure, TIDE_ENOMEM, "out of memory for shared answers");
    json_decref(words);
    return status;
}

static tide_status answer_joined(running *r, tide_failure *failure) {
    batch_run *run = r->run;
    tide_status status = join(r, failure);
    if (status != TIDE_OK) return status;
    bool *open = arena_new(&run->memory, bool, run->measured.count);
    for (int64_t i = 0; i < r->todos; i++) open[r->todo[i]] = true;
    const batch_share share = { .pieces = run->pieces, .journal = &run->journal, .head = run->head,
                                .items = run->measured.count, .each = piece_of(run), .open = open, .key = r->key,
                                .threads = threads_of(run), .answer = answer_shared, .stop = tell_shared, .user = r };
    return batch_joined_answer(&share, failure);
}

/* ---- all ---- */

static tide_status fill_rows(running *r, tide_failure *failure) {
    batch_run *run = r->run;
    for (int64_t i = 0; i < run->measured.count; i++) {
        batch_row *row = &r->row[i];
        if (is_asked(row) && !line_read(journal_find(&run->journal, r->key[i]), &run->memory, row))
            return fail(failure, TIDE_ENOMEM, "out of memory for the rows of the batch");
        note_plate(run, row, blanks_item(&run->blanks, i));
    }
    for (int64_t i = 0; i < run->rows.count; i++) run->rows.answered += !*r->row[i].reason;
    return TIDE_OK;
}

static tide_status work(running *r, tide_failure *failure) {
    batch_run *run = r->run;
    if (setjmp(run->no_memory)) return fail(failure, TIDE_ENOMEM, "out of memory for the rows of the batch");
    lay_rows(r);
    find_work(r);
    tide_status status = tell_taken(r, failure);
    if (status == TIDE_OK) status = run->joined ? answer_joined(r, failure) : answer_all(r, failure);
    return status == TIDE_OK ? fill_rows(r, failure) : status;
}

tide_status run_rows(batch_run *run, tide_failure *failure) {
    running r = { .run = run };
    pthread_mutex_init(&r.lock, NULL);
    tide_status status = work(&r, failure);
    pthread_mutex_destroy(&r.lock);
    return status;
}
