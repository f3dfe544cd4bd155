/* A list, the newest asked first, under a lock; a table that is being read stands in it already, so that it is read
 * once. */
#include "tables.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

typedef struct kept {
    struct kept *next;
    table       *of;    /* NULL: it is being read */
    char         key[];
} kept;

struct tables {
    pthread_mutex_t lock;
    pthread_cond_t  read;   /* one was, or could not be */
    kept           *first;
    int64_t         bytes, most;
};

tables *tables_new(int64_t most_bytes) {
    tables *all = calloc(1, sizeof *all);
    if (!all) return NULL;
    all->most = most_bytes;
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->read, NULL);
    return all;
}

void table_drop(table *t) {
    if (!t || atomic_fetch_sub(&t->users, 1) > 1) return;
    for (int64_t c = 0; c < t->columns; c++) {
        if (t->names) free(t->names[c]);
        if (t->values) free(t->values[c]);
    }
    free(t->names);
    free(t->values);
    free(t->time);
    free(t);
}

void tables_free(tables *all) {
    if (!all) return;
    for (kept *k = all->first, *next; k; k = next) {
        next = k->next;
        table_drop(k->of);
        free(k);
    }
    pthread_cond_destroy(&all->read);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

/* ---- the list; with the lock ---- */

/* Where it hangs; the last one's end, if it is not there. */
static kept **place_of(tables *all, const char *key) {
    kept **at = &all->first;
    while (*at && strcmp((*at)->key, key) != 0) at = &(*at)->next;
    return at;
}

static table *use(tables *all, kept **at) {
    kept *k = *at;
    *at = k->next, k->next = all->first, all->first = k;
    atomic_fetch_add(&k->of->users, 1);
    return k->of;
}

static void take_away(tables *all, kept **at) {
    kept *k = *at;
    *at = k->next;
    if (k->of) all->bytes -= k->of->bytes;
    table_drop(k->of);
    free(k);
}

/* From the one that was asked for longest ago. */
static void make_room(tables *all) {
    while (all->bytes > all->most) {
        kept **last = NULL;
        for (kept **at = &all->first; *at; at = &(*at)->next)
            if ((*at)->of) last = at;
        if (!last) return;
        take_away(all, last);
    }
}

static bool add_empty(tables *all, const char *key) {
    size_t size = strlen(key) + 1;
    kept  *k    = malloc(sizeof *k + size);
    if (!k) return false;
    memcpy(k->key, key, size);
    k->of   = NULL;
    k->next = all->first, all->first = k;
    return true;
}

/* ---- reading ---- */

static bool copy_column(table *t, const tide_frame *f, int64_t c) {
    int64_t       stride;
    const double *from = tide_frame_values(f, c, &stride);
    t->names[c]  = strdup(tide_frame_name(f, c));
    t->values[c] = malloc((size_t)t->rows * sizeof(double) + 1);
    for (int64_t i = 0; t->values[c] && i < t->rows; i++) t->values[c][i] = from[i * stride];
    return t->names[c] && t->values[c];
}

static bool copy_times(table *t, const tide_frame *f) {
    const int64_t *time = tide_frame_time(f);
    if (!time) return true;
    t->time = malloc((size_t)t->rows * sizeof(double) + 1);
    for (int64_t i = 0; t->time && i < t->rows; i++) t->time[i] = (double)time[i];
    return t->time != NULL;
}

static table *copy_of(const tide_frame *f) {
    table *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    atomic_init(&t->users, 1);
    t->rows    = tide_frame_rows(f);
    t->columns = tide_frame_columns(f);
    t->bytes   = t->rows * (t->columns + 1) * (int64_t)sizeof(double);
    t->names   = calloc((size_t)t->columns + 1, sizeof *t->names);
    t->values  = calloc((size_t)t->columns + 1, sizeof *t->values);
    bool fine  = t->names && t->values && copy_times(t, f);
    for (int64_t c = 0; fine && c < t->columns; c++) fine = copy_column(t, f, c);
    if (fine) return t;
    table_drop(t);
    return NULL;
}

static table *read_anew(const forecast_options *o, tide_failure *failure) {
    tide_frame    *frame = NULL;
    forecast_found found;
    if (forecast_read_found(o, &frame, &found, failure) != TIDE_OK) return NULL;
    table *t = copy_of(frame);
    tide_frame_free(frame);
    if (!t) fail(failure, TIDE_ENOMEM, "out of memory for the table");
    return t;
}

/* What was read takes the empty place. */
static void put(tables *all, const char *key, table *t) {
    pthread_mutex_lock(&all->lock);
    kept **at = place_of(all, key);
    if (t && t->bytes <= all->most) {
        (*at)->of = t;
        all->bytes += t->bytes;
        atomic_fetch_add(&t->users, 1);
        make_room(all);
    } else take_away(all, at);
    pthread_cond_broadcast(&all->read);
    pthread_mutex_unlock(&all->lock);
}

table *tables_find(tables *all, const char *key) {
    pthread_mutex_lock(&all->lock);
    kept **at    = place_of(all, key);
    table *found = *at && (*at)->of ? use(all, at) : NULL;
    pthread_mutex_unlock(&all->lock);
    return found;
}

table *tables_fetch(tables *all, const char *key, const forecast_options *o, tide_failure *failure) {
    kept **at;
    pthread_mutex_lock(&all->lock);
    while (*(at = place_of(all, key)) && !(*at)->of) pthread_cond_wait(&all->read, &all->lock);
    table *found = *at ? use(all, at) : NULL;
    bool   mine  = !found && add_empty(all, key);
    pthread_mutex_unlock(&all->lock);
    if (found) return found;
    table *t = mine ? read_anew(o, failure) : (fail(failure, TIDE_ENOMEM, "out of memory for the table"), NULL);
    if (mine) put(all, key, t);
    return t;
}
