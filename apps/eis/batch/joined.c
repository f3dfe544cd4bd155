/* Pieces of a batch: each a text like the journal's, its head and a line for each spectrum, so that it says by itself
 * of what it is. */
#include "joined.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "inputs.h"

enum { LINE = JSON_COMPACT | JSON_REAL_PRECISION(17) };  /* as in the journal */
static const char answers[] = "answers";
static const double seldom = 1e9; /* the journal is synced when it is closed */

static tide_status out_of_memory(tide_failure *f) { return fail(f, TIDE_ENOMEM, "out of memory for shared answers"); }

/* Takes `line`. */
static tide_status add_new(journal *to, const char *key, json_t *line, tide_failure *f) {
    const json_t *was = journal_find(to, key);
    if (!was || !json_equal(was, line)) return journal_add(to, key, line, f);
    json_decref(line);
    return TIDE_OK;
}

/* ---- a piece's text ---- */

static void add_line(text *to, json_t *line) {
    char *words = json_whole(line, LINE);
    if (words) text_add(to, "%s\n", words);
    else to->failed = true;
    free(words);
    json_decref(line);
}

typedef struct taking { const json_t *head; journal *to; } taking;

static tide_status take_line(const taking *t, const char *at, size_t length, tide_failure *f) {
    json_t     *line = json_loadb(at, length, 0, NULL);
    const char *word = json_string_value(json_object_get(line, "key"));
    char        key[65] = ""; /* the line's own is replaced */
    if (word && strlen(word) < sizeof key) memcpy(key, word, strlen(word) + 1);
    if (*key) return add_new(t->to, key, line, f);
    json_decref(line);
    return TIDE_OK;
}

/* Nothing of one with another head. */
static tide_status take_text(void *user, const void *data, size_t bytes, tide_failure *f) {
    const taking *t = user;
    const char   *at = data, *stop = at + bytes, *end = memchr(at, '\n', bytes);
    json_t       *head = end ? json_loadb(at, (size_t)(end - at), 0, NULL) : NULL;
    bool          same = head && json_equal(json_object_get(head, "options"), t->head);
    tide_status   status = TIDE_OK;
    json_decref(head);
    for (; status == TIDE_OK && same && end; ) {
        at  = end + 1;
        end = memchr(at, '\n', (size_t)(stop - at));
        if (end) status = take_line(t, at, (size_t)(end - at), f);
    }
    return status;
}

/* ---- coming ---- */

tide_status batch_take_left(const char *folder, const json_t *head, journal *to, tide_failure *f) {
    tide_status status = pieces_left(folder, answers, take_text, &(taking){ head, to }, f);
    if (status == TIDE_OK) pieces_clear(folder);
    return status;
}

static tide_status make_journal(const char *folder, const json_t *head, bool anew, tide_failure *f) {
    char        path[FOLDER_PATH];
    journal     made   = { .file = -1 };
    tide_status status = owned_claim_file(folder, BATCH_JOURNAL, path, f);
    if (status == TIDE_OK) status = journal_open(path, head, anew, seldom, &made, f);
    if (status == TIDE_OK && anew) pieces_clear(folder);
    if (status == TIDE_OK && !anew) status = batch_take_left(folder, head, &made, f);
    tide_failure ignored;
    tide_status  closed = journal_close(&made, status == TIDE_OK ? f : &ignored);
    return status == TIDE_OK ? closed : status;
}

/* Each try waits a second. The others may come when one is just making a long journal ready. */
static tide_status lock_shared(const char *folder, int *lock, tide_failure *f) {
    enum { TRIES = 10 };
    for (int i = 0; i < TRIES && *lock < 0; i++) {
        failure_clear(f);
        *lock = owned_lock_shared(folder, f);
    }
    return *lock >= 0 ? TIDE_OK : f->status;
}

tide_status batch_joined_open(const char *folder, const json_t *head, bool anew, journal *out, int *lock,
                              tide_failure *f) {
    char        path[FOLDER_PATH];
    tide_status status = TIDE_OK;
    int         alone  = owned_lock(folder, NULL);
    if (alone >= 0) status = make_journal(folder, head, anew, f);
    owned_unlock(folder, alone);
    if (status == TIDE_OK) status = lock_shared(folder, lock, f);
    return status == TIDE_OK ? journal_peek(folder_file(folder, BATCH_JOURNAL, path), head, out, f) : status;
}

/* ---- the pieces ---- */

static int64_t first_of(const batch_share *s, int64_t i) { return i * s->each; }
static int64_t end_of(const batch_share *s, int64_t i) { return MIN2((i + 1) * s->each, s->items); }

static bool is_open(const batch_share *s, int64_t i) {
    for (int64_t item = first_of(s, i); item < end_of(s, i); item++)
        if (s->open[item]) return true;
    return false;
}

static bool is_made(void *user, int64_t i) {
    const batch_share *s = user;
    return !is_open(s, i) || pieces_has(s->pieces, answers, i);
}

static tide_status make(void *user, int64_t i, int thread, tide_failure *f) {
    const batch_share *s = user;
    text        out    = { 0 };
    tide_status status = TIDE_OK;
    add_line(&out, json_with(json_object(), "options", json_incref((json_t *)s->head)));
    for (int64_t item = first_of(s, i); status == TIDE_OK && item < end_of(s, i); item++) {
        json_t *line = NULL;
        if (!s->open[item]) continue;
        status = s->answer(s->user, item, thread, &line, f);
        if (status == TIDE_OK) add_line(&out, json_with(line, "key", json_string(s->key[item])));
    }
    if (status == TIDE_OK && out.failed) status = out_of_memory(f);
    if (status == TIDE_OK) status = pieces_put(s->pieces, answers, i, out.data, out.length, f);
    text_free(&out);
    return status;
}

static bool stop(void *user, int64_t done) {
    const batch_share *s = user;
    return s->stop(s->user, MIN2(done * s->each, s->items));
}

static tide_status take_piece(const batch_share *s, int64_t i, tide_failure *f) {
    char        path[FOLDER_PATH];
    void       *data;
    size_t      bytes;
    tide_status status = pieces_get(s->pieces, answers, i, &data, &bytes, f);
    if (status == TIDE_OK) status = take_text(&(taking){ s->head, s->journal }, data, bytes, f);
    free(data);
    for (int64_t item = first_of(s, i); status == TIDE_OK && item < end_of(s, i); item++)
        if (s->open[item] && !journal_find(s->journal, s->key[item]))
            status = fail_at(f, TIDE_EDATA, pieces_path(s->pieces, answers, i, path), 0, NULL,
                             "%s is damaged: remove it and run again", path);
    return status;
}

tide_status batch_joined_answer(const batch_share *s, tide_failure *f) {
    const pieces_task task = { .count = ceil_div(s->items, s->each), .threads = s->threads, .is_made = is_made,
                               .make = make, .stop = stop, .user = (void *)s };
    tide_status status = pieces_do(s->pieces, &task, NULL, f);
    for (int64_t i = 0; status == TIDE_OK && i < task.count; i++)
        if (is_open(s, i)) status = take_piece(s, i, f);
    return status;
}

/* ---- the end ---- */

tide_status batch_joined_commit(const char *folder, const json_t *head, const journal *from, tide_failure *f) {
    char        path[FOLDER_PATH];
    journal     file = { .file = -1 };
    const char *key;
    json_t     *line;
    tide_status status = journal_open(folder_file(folder, BATCH_JOURNAL, path), head, false, seldom, &file, f);
    json_object_foreach(from->line, key, line)
        if (status == TIDE_OK) status = add_new(&file, key, json_deep_copy(line), f);
    tide_failure ignored;
    tide_status  closed = journal_close(&file, status == TIDE_OK ? f : &ignored);
    return status == TIDE_OK ? closed : status;
}
