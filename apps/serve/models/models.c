/* Models that are open. */
#include "models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "inside.h"

models *models_new(const char *folder, int threads) {
    models *m = calloc(1, sizeof *m);
    if (!m || !(m->folder = strdup(folder))) {
        free(m);
        return NULL;
    }
    m->threads = threads;
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void models_also(models *m, bool (*find)(void *user, const char *id, char *path, size_t size),
                 json_t *(*list)(void *user), void *user) {
    m->find = find, m->list = list, m->user = user;
}

void models_free(models *m) {
    if (!m) return;
    for (kept_model *k = m->kept, *next; k; k = next) {
        next = k->next;
        model_drop(k->of);
        free(k);
    }
    pthread_mutex_destroy(&m->lock);
    free(m->folder);
    free(m);
}

void model_drop(model *m) {
    if (!m || atomic_fetch_sub(&m->users, 1) > 1) return;
    for (int i = 0; m->forecasts && i < m->threads; i++) forecast_model_free(m->forecasts[i]);
    for (int i = 0; m->eises && i < m->threads; i++) eis_model_free(m->eises[i]);
    forecast_model_free(m->forecast);
    eis_model_free(m->eis);
    free(m->forecasts);
    free(m->eises);
    free(m);
}

/* One thread a handle: as many handles as cores answer more than all cores one handle. */
static tide_status load(model *m, const char *path, tide_failure *failure) {
    tide_status status;
    if (m->kind == MODEL_FORECAST) {
        forecast_options *o = forecast_options_new();
        if (!o) return fail(failure, TIDE_ENOMEM, "out of memory");
        o->threads = 1;
        status = forecast_model_load(path, o, &m->forecast, failure);
        forecast_options_free(o);
    } else {
        eis_options *o = eis_options_new();
        if (!o) return fail(failure, TIDE_ENOMEM, "out of memory");
        o->threads = 1;
        status = eis_model_load(path, o, &m->eis, failure);
        eis_options_free(o);
    }
    return status;
}

static model *open_model(const models *all, const char *id, model_kind kind, const char *path, problem *p) {
    tide_failure failure = { 0 };
    model *m = calloc(1, sizeof *m);
    if (!m) return problem_say(p, 503, "memory", "There is no memory at the moment."), NULL;
    snprintf(m->id, sizeof m->id, "%s", id);
    m->kind      = kind;
    m->threads   = all->threads;
    m->forecasts = calloc((size_t)all->threads, sizeof *m->forecasts);
    m->eises     = calloc((size_t)all->threads, sizeof *m->eises);
    atomic_init(&m->users, 1);
    tide_status status = m->forecasts && m->eises ? load(m, path, &failure)
                                                  : fail(&failure, TIDE_ENOMEM, "out of memory");
    if (status == TIDE_OK) return m;
    /* Its message names where the service keeps it. */
    problem_say(p, status == TIDE_ENOMEM ? 503 : 422, "model", "The model \"%s\" cannot be opened (%s).", id,
                tide_status_name(status));
    model_drop(m);
    return NULL;
}

static bool same_file(const kept_model *k, const struct stat *s) {
    return k->inode == s->st_ino && k->bytes == s->st_size &&
           k->changed_ns == (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec;
}

/* Under the lock. */
static model *keep(models *all, kept_model *k, model *m, const struct stat *s) {
    if (!k) {
        if (!(k = calloc(1, sizeof *k))) return m; /* it is opened again the next time */
        k->next   = all->kept;
        all->kept = k;
    } else model_drop(k->of);
    k->of         = m;
    k->inode      = s->st_ino;
    k->bytes      = s->st_size;
    k->changed_ns = (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec;
    atomic_fetch_add(&m->users, 1);
    return m;
}

static model *find_or_open(models *all, const char *id, model_kind kind, const char *path, const struct stat *s,
                           problem *p) {
    kept_model *k = all->kept;
    while (k && strcmp(k->of->id, id) != 0) k = k->next;
    if (k && same_file(k, s)) {
        atomic_fetch_add(&k->of->users, 1);
        return k->of;
    }
    model *m = open_model(all, id, kind, path, p);
    return m ? keep(all, k, m, s) : NULL;
}

static bool kind_fits(const models *all, const char *id, model_kind kind, problem *p) {
    model_kind is;
    json_t    *run = model_run(all, id, &is);
    if (!run) return problem_say(p, 404, "model", "There is no model \"%.100s\"; /api/v1/models lists them.", id);
    json_decref(run);
    if (is == kind) return true;
    return problem_say(p, 422, "model", "The model \"%.100s\" is one of %s.", id,
                       is == MODEL_EIS ? "impedance" : "forecasts");
}

/* What is open is asked for first: reading run.json takes longer than a forecast. */
model *models_take(models *m, const char *id, model_kind kind, problem *p) {
    char        path[MODEL_PATH], file[MODEL_PATH + 24];
    struct stat about = { 0 };
    if (!models_path(m, id, path, sizeof path))
        return problem_say(p, 404, "model", "There is no model \"%.100s\"; /api/v1/models lists them.", id), NULL;
    snprintf(file, sizeof file, "%s/model.safetensors", path);
    stat(file, &about);
    pthread_mutex_lock(&m->lock);
    kept_model *k = m->kept;
    while (k && strcmp(k->of->id, id) != 0) k = k->next;
    bool   fits  = (k && same_file(k, &about) && k->of->kind == kind) || kind_fits(m, id, kind, p);
    model *taken = fits ? find_or_open(m, id, kind, path, &about, p) : NULL;
    pthread_mutex_unlock(&m->lock);
    return taken;
}

forecast_model *model_forecast(model *m, int thread, tide_failure *failure) {
    if (!m->forecasts[thread] && forecast_model_clone(m->forecast, &m->forecasts[thread], failure) != TIDE_OK)
        return NULL;
    return m->forecasts[thread];
}

eis_model *model_eis(model *m, int thread, tide_failure *failure) {
    if (!m->eises[thread] && eis_model_clone(m->eis, &m->eises[thread], failure) != TIDE_OK) return NULL;
    return m->eises[thread];
}
