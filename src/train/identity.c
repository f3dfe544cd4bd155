/* run.json: what identifies a run, written once, and compared member by member when it is resumed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "options/options.h"
#include "run.h"

enum { RUN_VERSION = 1 };

static tide_status put_text(void *user, void *stdio_file) { return fputs(user, stdio_file) < 0 ? TIDE_EIO : TIDE_OK; }

tide_status run_json_write(const run_folder *r, const json_t *content, tide_failure *failure) {
    char    path[FOLDER_PATH];
    json_t *whole = json_pack("{s:i}", "format_version", RUN_VERSION);
    /* borrows the members, changes only `whole` */
    bool    fine  = whole && json_object_update(whole, (json_t *)content) == 0;
    char   *text  = fine ? json_dumps(whole, JSON_INDENT(2)) : NULL;
    tide_status status = text ? owned_claim_file(r->path, "run.json", path, failure)
                              : fail(failure, TIDE_ENOMEM, "out of memory for run.json");
    if (status == TIDE_OK) status = tide_file_replace(path, put_text, text, failure);
    free(text);
    json_decref(whole);
    return status;
}

/* The value as one would type it. */
static const char *shown(const json_t *v, char *buffer, size_t size) {
    if (json_is_string(v)) return json_string_value(v);
    if (json_is_boolean(v)) return json_is_true(v) ? "yes" : "no";
    if (json_is_integer(v)) snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v)) snprintf(buffer, size, "%g", json_real_value(v));
    else snprintf(buffer, size, "nothing");
    return buffer;
}

static bool listed(const char *const *names, const char *name) {
    for (; *names; names++)
        if (!strcmp(*names, name)) return true;
    return false;
}

static tide_status differs(const char *path, const char *group, const char *key, const json_t *was, const json_t *is,
                           tide_failure *failure) {
    char a[64], b[64];
    const char *before = shown(was, a, sizeof a), *now = shown(is, b, sizeof b);
    if (!strcmp(group, "options"))
        return fail_at(failure, TIDE_EINVAL, path, 0, key,
                       "the run was started with `%s` %s, now it is %s: give the same options, or `overwrite`", key,
                       before, now);
    return fail_at(failure, TIDE_EINVAL, path, 0, key,
                   "the run was started on other %s (%s was %s, now it is %s): give the same, or `overwrite`",
                   *group ? group : "data", key,
                   before, now);
}

static bool may_differ(const tide_option_table *options, const char *name) {
    const tide_option *row = tide_option_find(options, name);
    return row && row->flags & TIDE_OPTION_MAY_DIFFER;
}

/* A run that goes on is given what it had of these (run_choices_take), or need not have it. */
static const char *const taken_over[] = { "version", "choices", "numerics", "device_choice", NULL };

static tide_status compare(const char *path, const char *group, const json_t *before, const json_t *now,
                           const char *const *free_names, const tide_option_table *options, tide_failure *failure) {
    const char *key;
    json_t     *is;
    tide_status status = TIDE_OK;
    json_object_foreach((json_t *)now, key, is) {
        const json_t *was = json_object_get(before, key);
        bool free = !*group ? listed(taken_over, key)
                            : !strcmp(group, "options") && may_differ(options, key);
        if (free || listed(free_names, key)) continue;
        if (!*group && json_is_object(is)) status = compare(path, key, was, is, free_names, options, failure);
        else if (!json_equal(was, is)) status = differs(path, group, key, was, is, failure);
        if (status != TIDE_OK) break;
    }
    return status;
}

/* An earlier version's "options" become what this one would have written. */
static json_t *load(const char *path, const tide_option_table *options, json_error_t *error) {
    json_t *was = json_load_file(path, 0, error), *now, *settings = json_object_get(was, "options");
    if (!options || !json_is_object(settings)) return was;
    now = options_updated(options, settings);
    if (now && json_object_set_new(was, "options", now) == 0) return was;
    json_decref(was);
    snprintf(error->text, sizeof error->text, "out of memory");
    return NULL;
}

tide_status run_json_check(const run_folder *r, const json_t *now, const char *const *free_names,
                           const tide_option_table *options, tide_failure *failure) {
    char         path[FOLDER_PATH];
    json_error_t error;
    json_t      *was = load(folder_file(r->path, "run.json", path), options, &error);
    tide_status  status;
    if (!was)
        status = fail_at(failure, TIDE_EDATA, path, MAX2(error.line, 0), NULL,
                         "cannot be read (%s): `overwrite` starts anew", error.text);
    else if (json_integer_value(json_object_get(was, "format_version")) > RUN_VERSION)
        status = fail_at(failure, TIDE_EDATA, path, 0, NULL,
                         "its format version is newer than this program writes: update tidemill");
    else status = compare(path, "", was, now, free_names, options, failure);
    json_decref(was);
    return status;
}

bool run_moved_told(const run_folder *r, const char *device, char line[RUN_LINE]) {
    char        path[FOLDER_PATH];
    json_t     *run = r->resuming ? json_load_file(folder_file(r->path, "run.json", path), 0, NULL) : NULL;
    const char *was = json_string_value(json_object_get(run_options(run), "device"));
    bool        moved = was && strcmp(was, device) != 0;
    if (moved)
        snprintf(line, RUN_LINE,
                 "the run was started on %.40s and goes on on %.40s: from here on its bits are those of %.40s", was,
                 device, device);
    json_decref(run);
    return moved;
}

int64_t run_parts_of(const char *folder) {
    char    path[FOLDER_PATH];
    json_t *run   = json_load_file(folder_file(folder, "run.json", path), 0, NULL);
    int64_t parts = json_integer_value(json_object_get(run_options(run), "accumulate"));
    json_decref(run);
    return parts;
}

bool run_parts_told(const run_folder *r, int64_t parts, char line[RUN_LINE]) {
    int64_t was = r->resuming ? run_parts_of(r->path) : 0;
    if (MAX2(was, 1) == MAX2(parts, 1) || !was) return false;
    snprintf(line, RUN_LINE,
             "the run was started with batches in %" PRId64 " part%s and goes on with %" PRId64
             ": sums of parts round otherwise, so from here on its bits are those of the new number", was,
             was == 1 ? "" : "s", MAX2(parts, 1));
    return true;
}
