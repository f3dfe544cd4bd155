/* A backtest that several processes share, of one machine or of several (files/pieces.h): a piece is what one program
 * forecasts at once, or what one training is for. What each origin comes to is put down beside the output, and when all
 * is there every process adds it up in order, as one process would have. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tidemill/io.h>
#include <time.h>

#include "base/base.h"
#include "base/json.h"
#include "files/owned.h"
#include "files/pieces.h"
#include "forecast/fit/solve.h"
#include "rolling.h"

enum { FILE_BYTES = 1 << 25 };
static const char   result_name[] = "origins";
static const double TOLD_EVERY_S  = 0.1;

typedef struct sharing {
    rolling  *rolling;
    char      folder[FOLDER_PATH];
    int       lock;           /* on it, with others; -1: none */
    pieces   *pieces;
    int64_t   count, each;    /* pieces; origins of one */
    int64_t   held, room;     /* origins in `figures`; of a file */
    double   *figures, told;
    refit    *refit;          /* NULL: the run itself forecasts */
    baseline *linear;         /* beside it; NULL: it has not forecast here yet */
    answerer  by;
    answering answering;
} sharing;

/* ---- what is refused ---- */

static bool is_file(const char *path) {
    struct stat info;
    return *path && strcmp(path, "-") != 0 && (stat(path, &info) != 0 ? errno == ENOENT : S_ISREG(info.st_mode));
}

tide_status rolling_check_join(const rolling *r, tide_failure *failure) {
    const forecast_options *o = r->options;
    const struct { bool given; const char *option, *why; } rows[] = {
        { !is_file(o->output), "output",
          "several processes keep beside `output` what they have forecast: give it the name of a file, the same to all "
          "of them" },
        { !strcmp(o->data, "-"), "data",
          "`data` - is standard input, which several processes cannot share: name a file" },
        { o->compile_mode == FORECAST_MODE_MAX_AUTOTUNE, "compile-mode",
          "`compile-mode` max-autotune goes by clocks, which differ from process to process: leave it out" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].given) return fail_at(failure, TIDE_EINVAL, NULL, 0, rows[i].option, "%s", rows[i].why);
    return TIDE_OK;
}

/* ---- the folder ---- */

static tide_status name_folder(const rolling *r, char out[FOLDER_PATH], tide_failure *failure) {
    if (snprintf(out, FOLDER_PATH, "%s.pieces", r->options->output) < FOLDER_PATH) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "output", "the name of `output` is too long to be shared");
}

static tide_status open_folder(sharing *s, tide_failure *failure) {
    tide_status status = make_folders(s->folder, failure);
    if (status == TIDE_OK) status = owned_claim(s->folder, (const char *const[]){ NULL }, failure);
    if (status == TIDE_OK && (s->lock = owned_lock_shared(s->folder, failure)) < 0) status = failure->status;
    return status;
}

/* Who left last may be taking it away. */
static tide_status open_patiently(sharing *s, tide_failure *failure) {
    tide_failure why    = { 0 };
    tide_status  status = open_folder(s, &why);
    for (int i = 0; status == TIDE_EIO && i < 20; i++) {
        nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
        why    = (tide_failure){ 0 };
        status = open_folder(s, &why);
    }
    if (status != TIDE_OK && failure) *failure = why;
    return status;
}

void rolling_forget_shared(const rolling *r) {
    char        folder[FOLDER_PATH];
    struct stat info;
    if (name_folder(r, folder, NULL) == TIDE_OK && stat(folder, &info) == 0) owned_remove(folder, NULL);
}

/* ---- joining ---- */

static json_t *with_file(json_t *words, const char *key, const char *path, tide_failure *failure) {
    char sum[65];
    if (!*path) return words;
    if (tide_file_sha256(path, sum, failure) == TIDE_OK) return json_with(words, key, json_string(sum));
    json_decref(words);
    return NULL;
}

/* Files by what is in them: they may be elsewhere on another machine. */
static json_t *words_of(const sharing *s, tide_failure *failure) {
    const rolling          *r = s->rolling;
    const forecast_options *o = r->options;
    json_t *words = pieces_options(forecast_table(), o, FORECAST_FOR_BACKTEST);
    char   *trained = s->refit ? tide_options_json(forecast_table(), refit_options(s->refit), FORECAST_FOR_TRAIN,
                                                   TIDE_OPTION_RESOURCE | TIDE_OPTION_PLACE) : NULL;
    words = json_with(words, "data", json_string(r->data.frame.sha256));
    words = with_file(words, "model", r->path, failure);
    words = with_file(words, "holidays", o->holidays, failure);
    words = with_file(words, "issued", o->issued, failure);
    words = with_file(words, "static", o->statics, failure);
    words = *o->sum == '@' ? with_file(words, "sum", o->sum + 1, failure) : json_with(words, "sum", json_text(o->sum));
    if (s->refit) words = json_with(words, "refit-every", trained ? json_string(trained) : NULL);
    tide_free(trained);
    return words;
}

static void plan(sharing *s) {
    const rolling *r    = s->rolling;
    int64_t        wide = rolling_numbers(r) * (int64_t)sizeof *s->figures;
    s->each  = s->refit ? r->options->refit_every : session_batch(&r->bundle->config, r->origins);
    s->each  = MIN2(s->each, r->origins);
    s->count = ceil_div(r->origins, s->each);
    s->room  = MAX2(1, MIN2(s->each, FILE_BYTES / wide));
}

static tide_status join(sharing *s, tide_failure *failure) {
    rolling     *r      = s->rolling;
    tide_failure why    = { 0 };
    tide_status  status = name_folder(r, s->folder, failure);
    if (status == TIDE_OK && r->options->refit_every) status = refit_new(r, &s->refit, failure);
    if (status != TIDE_OK) return status;
    plan(s);
    s->figures    = malloc((size_t)(s->room * rolling_numbers(r)) * sizeof *s->figures);
    json_t *words = s->figures ? words_of(s, &why) : NULL;
    if (!words && !why.status) rolling_no_memory(&why);
    if (words && open_patiently(s, &why) == TIDE_OK) pieces_join(s->folder, words, false, &s->pieces, &why);
    json_decref(words);
    if (why.status && failure) *failure = why;
    return why.status;
}

tide_status rolling_join(rolling *r, tide_failure *failure) {
    sharing *s = r->sharing = calloc(1, sizeof *s);
    if (!s) return rolling_no_memory(failure);
    s->rolling = r, s->lock = -1;
    return join(s, failure);
}

/* The last one takes the folder away. */
void rolling_leave(rolling *r, bool over) {
    sharing *s = r->sharing;
    if (!s) return;
    pieces_leave(s->pieces, over);
    owned_unlock_shared(s->folder, s->lock);
    if (over) rolling_forget_shared(r);
    answering_close(&s->answering);
    baseline_free(s->linear);
    refit_free(s->refit);
    free(s->figures);
    free(s);
    r->sharing = NULL;
}

/* ---- forecasting ---- */

static bool ask(void *user, int64_t done) {
    sharing       *s = user;
    const rolling *r = s->rolling;
    if (os_seconds() - s->told < TOLD_EVERY_S) return false;
    s->told = os_seconds();
    return listener_tell(&r->listener, (forecast_event){ .stage = FORECAST_STAGE_SCORE, .batches = r->origins,
                                                         .batch = MIN2(done * s->each, r->origins) }) != 0;
}

/* Files of a piece: so many of `room` origins. */
static int64_t files(const sharing *s) { return ceil_div(s->each, s->room); }
static int64_t origins_of(const sharing *s, int64_t piece) {
    return MIN2(s->each, s->rolling->origins - piece * s->each);
}

static bool has_origins(void *user, int64_t piece) {
    const sharing *s   = user;
    bool           all = true;
    for (int64_t k = 0; k * s->room < origins_of(s, piece); k++)
        all = all && pieces_has(s->pieces, result_name, piece * files(s) + k);
    return all;
}

/* Origins come in order: a file is full, or its piece over. */
static tide_status put(void *user, int64_t origin, const double *figures, tide_failure *failure) {
    sharing *s      = user;
    int64_t  piece  = origin / s->each, at = origin % s->each, numbers = rolling_numbers(s->rolling);
    memcpy(s->figures + at % s->room * numbers, figures, (size_t)numbers * sizeof *figures);
    s->held = at % s->room + 1;
    if (s->held < s->room && at + 1 < origins_of(s, piece)) return TIDE_OK;
    return pieces_put(s->pieces, result_name, piece * files(s) + at / s->room, s->figures,
                      (size_t)(s->held * numbers) * sizeof *figures, failure);
}

static tide_status open_run(sharing *s, tide_failure *failure) {
    rolling *r = s->rolling;
    if (s->linear) return TIDE_OK;
    tide_status status = linear_fit(&r->data, r->data.split, r->options->seq_len, r->options->pred_len, &s->linear,
                                    failure);
    s->by = (answerer){ handle_session(r->run), &r->data, s->linear, &r->bundle->bands };
    return status == TIDE_OK ? answering_open(r, &s->by, r->origins, true, &s->answering, failure) : status;
}

static tide_status forecast(void *user, int64_t piece, int thread, tide_failure *failure) {
    sharing *s = user;
    (void)thread;
    if (s->refit) return refit_block(s->refit, piece, put, s, failure);
    tide_status status = open_run(s, failure);
    if (status != TIDE_OK) return status;
    return answering_run(s->rolling, &s->answering, piece * s->each, origins_of(s, piece), put, s, failure);
}

tide_status rolling_share(rolling *r, tide_failure *failure) {
    sharing          *s    = r->sharing;
    const pieces_task task = { .count = s->count, .threads = 1, .is_made = has_origins, .make = forecast, .stop = ask,
                               .user = s };
    if (s->refit) r->refits = s->count;
    return pieces_do(s->pieces, &task, NULL, failure);
}

/* ---- adding up ---- */

static tide_status replay_file(sharing *s, int64_t first, int64_t count, int64_t file, tide_failure *failure) {
    char        path[FOLDER_PATH];
    int64_t     numbers = rolling_numbers(s->rolling);
    void       *data    = NULL;
    size_t      bytes   = 0;
    tide_status status  = pieces_get(s->pieces, result_name, file, &data, &bytes, failure);
    if (status == TIDE_OK && bytes != (size_t)(count * numbers) * sizeof(double))
        status = fail_at(failure, TIDE_EDATA, pieces_path(s->pieces, result_name, file, path), 0, NULL,
                         "%s is damaged: remove it and run again", path);
    for (int64_t i = 0; status == TIDE_OK && i < count; i++)
        status = rolling_take(s->rolling, first + i, (const double *)data + i * numbers, failure);
    free(data);
    return status;
}

tide_status rolling_replay(rolling *r, tide_failure *failure) {
    sharing    *s      = r->sharing;
    tide_status status = TIDE_OK;
    for (int64_t piece = 0; status == TIDE_OK && piece < s->count; piece++)
        for (int64_t at = 0, k = 0; status == TIDE_OK && at < origins_of(s, piece); at += s->room, k++) {
            status = replay_file(s, piece * s->each + at, MIN2(s->room, origins_of(s, piece) - at),
                                 piece * files(s) + k, failure);
            if (status == TIDE_OK && ask(s, s->count)) return fail(failure, TIDE_ECANCELLED, "stopped: the same "
                                                                   "command goes on from there");
        }
    return status;
}

/* ---- one for all ---- */

typedef struct once { sharing *sharing; rolling_work work; bool *mine; } once;

static bool ask_once(void *user, int64_t done) {
    sharing *s = ((once *)user)->sharing;
    (void)done;
    return ask(s, s->count);
}

static tide_status do_once(void *user, int64_t i, int thread, tide_failure *failure) {
    once *o = user;
    (void)i, (void)thread;
    *o->mine = true;
    return o->work(o->sharing->rolling, failure);
}

tide_status rolling_once(rolling *r, rolling_work work, bool *mine, tide_failure *failure) {
    once              o    = { r->sharing, work, mine };
    const pieces_task task = { .count = 1, .threads = 1, .make = do_once, .stop = ask_once, .user = &o };
    return pieces_do(r->sharing->pieces, &task, NULL, failure);
}
