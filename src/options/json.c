/* Options as a JSON object and from one: a file of settings, or a run.json of this version or an earlier one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "options.h"

enum { LONGEST_VALUE = 4096 };

/* ---- to JSON ---- */

static json_t *list_json(const char *lines) {
    json_t *list = json_array();
    char    line[LONGEST_VALUE];
    while (list && *lines) {
        size_t length = strcspn(lines, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, lines);
        list = json_with_item(list, json_text(line));
        lines += length + (lines[length] == '\n');
    }
    return list;
}

static json_t *value_json(const void *options, const tide_option *row) {
    const void *field = option_field(options, row);
    char        text[LONGEST_VALUE];
    switch (row->type) {
    case TIDE_OPTION_IS_BOOL: return json_boolean(*(const bool *)field);
    case TIDE_OPTION_IS_INT: return json_integer((json_int_t) * (const int64_t *)field);
    case TIDE_OPTION_IS_REAL: return json_real(*(const double *)field);
    case TIDE_OPTION_IS_LIST: return list_json(field);
    default: return json_text(tide_option_get(options, row, text, sizeof text));
    }
}

json_t *options_object(const tide_option_table *t, const void *options, unsigned with, unsigned without) {
    json_t *all = json_object();
    for (int64_t i = 0; all && i < t->count; i++)
        if ((t->rows[i].flags & with) && !(t->rows[i].flags & without))
            all = json_with(all, t->rows[i].name, value_json(options, &t->rows[i]));
    return all;
}

char *tide_options_json(const tide_option_table *t, const void *options, unsigned with, unsigned without) {
    json_t *all = t && options ? options_object(t, options, with, without) : NULL;
    char   *text = json_whole(all, JSON_INDENT(2));
    json_decref(all);
    return text;
}

/* ---- what earlier versions wrote ---- */

const json_t *run_options(const json_t *run) {
    const json_t *options = json_object_get(run, "options");
    bool          old = !options && json_object_get(run, "format_version") && json_object_get(run, "command");
    return old ? run : options;
}

/* A switch that has become a choice was true or false; a word may have another name now. */
static json_t *renamed_value(const tide_option *row, const json_t *was) {
    const char *word = row->choices;
    char        text[LONGEST_VALUE];
    if (json_is_string(was) && option_plain(row, json_string_value(was), text, sizeof text) < sizeof text)
        return json_text(text);
    if (row->type != TIDE_OPTION_IS_CHOICE || !row->bare || !json_is_boolean(was)) return json_incref((json_t *)was);
    return json_is_true(was) ? json_string(row->bare) : json_stringn(word, strcspn(word, "|"));
}

json_t *options_updated(const tide_option_table *t, const json_t *was) {
    void       *usual = malloc(t->size);
    const char *key;
    json_t     *value;
    if (usual) tide_options_default(t, usual);
    json_t *now = usual ? options_object(t, usual, ~0u, 0) : NULL;
    free(usual);
    json_object_foreach((json_t *)was, key, value) {
        const tide_option *row = tide_option_find(t, key);
        if (now) now = json_with(now, row ? row->name : key, row ? renamed_value(row, value) : json_incref(value));
    }
    return now;
}

/* ---- from JSON ---- */

/* A scalar as the text that one would type, whatever the host's locale; a list of them joined by commas. */
enum { REAL_ROOM = 32 };  /* num_format's */
static bool value_text(const json_t *value, char *buffer, size_t size) {
    if (json_is_string(value)) return snprintf(buffer, size, "%s", json_string_value(value)) < (int)size;
    if (json_is_boolean(value)) return snprintf(buffer, size, "%s", json_is_true(value) ? "true" : "false") < (int)size;
    if (json_is_integer(value))
        return snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) < (int)size;
    if (json_is_real(value)) return size >= REAL_ROOM && num_format(buffer, json_real_value(value), false) > 0;
    if (!json_is_array(value)) return false;
    size_t length = 0;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (json_is_array(item) || length + 2 >= size) return false;
        if (i) buffer[length++] = ',';
        if (!value_text(item, buffer + length, size - length)) return false;
        length += strlen(buffer + length);
    }
    buffer[length] = 0;
    return true;
}

static tide_status set_from(const tide_option_reader *reader, const tide_option *row, const char *name,
                            const json_t *value, tide_failure *failure) {
    char        text[LONGEST_VALUE];
    bool        each = row->type == TIDE_OPTION_IS_LIST && json_is_array(value);
    size_t      items = each ? json_array_size(value) : 1;
    tide_status status = TIDE_OK;
    for (size_t i = 0; i < items && status == TIDE_OK; i++) {
        const json_t *item = each ? json_array_get(value, i) : value;
        status = value_text(item, text, sizeof text)
                     ? reader->set(reader->user, row, text, failure)
                     : fail_at(failure, TIDE_EINVAL, NULL, 0, name,
                               "the value of \"%.60s\" must be a word, a number, true or false, or a list of them, of "
                               "%zu bytes at most", name, sizeof text - 1);
    }
    return status;
}

static tide_status read_members(const json_t *options, const char *command, const tide_option_reader *reader,
                                tide_failure *failure) {
    tide_failure why = { 0 };
    const char  *key;
    json_t      *value;
    json_object_foreach((json_t *)options, key, value) {
        const tide_option *row = json_is_null(value) ? NULL : reader->find(reader->user, key, command, &why);
        bool               place = row && command && (row->flags & TIDE_OPTION_PLACE);
        if (row && !place && why.status == TIDE_OK) set_from(reader, row, key, value, &why);
        if (why.status == TIDE_OK) continue;
        fail_at(failure, why.status, NULL, 0, key, "%s", why.message);
        return why.status;
    }
    return TIDE_OK;
}

tide_status tide_options_read(const char *json, size_t length, const tide_option_reader *reader,
                              tide_failure *failure) {
    static const char accepted[] = "accepted is a JSON object such as {\"seq-len\": 96}, or a run.json";
    json_error_t      error;
    failure_clear(failure);
    if (!json || !reader || !reader->find || !reader->set)
        return fail(failure, TIDE_EINVAL, json ? "there is no reader" : "there is no JSON");
    json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return fail_at(failure, TIDE_EINVAL, NULL, MAX2(error.line, 1), NULL, "line %d: %.160s; %s",
                       MAX2(error.line, 1), error.text, accepted);
    const json_t *options = run_options(root);
    const char   *command = json_string_value(json_object_get(root, "command"));
    tide_status   status =
        json_is_object(options ? options : root)
              ? read_members(options ? options : root, options ? command ? command : "" : NULL, reader, failure)
              : fail_at(failure, TIDE_EINVAL, NULL, 1, options ? "options" : NULL, "%s", accepted);
    json_decref(root);
    return status;
}

typedef struct target { const tide_option_table *table; void *options; } target;

static const tide_option *find_row(void *user, const char *name, const char *command, tide_failure *failure) {
    const target      *t = user;
    const tide_option *row = tide_option_find(t->table, name);
    if (!row && !command) fail_at(failure, TIDE_EINVAL, NULL, 0, name, "there is no option '%s'", name);
    return row;
}

static tide_status set_row(void *user, const tide_option *row, const char *text, tide_failure *failure) {
    const target *t = user;
    return tide_option_set(t->table, t->options, row->name, text, failure);
}

tide_status tide_options_from_json(const tide_option_table *t, void *options, const char *json,
                                   tide_failure *failure) {
    target to = { t, options };
    failure_clear(failure);
    if (!t || !options || !json)
        return fail(failure, TIDE_EINVAL, json ? "there are no options to set" : "there is no JSON");
    return tide_options_read(json, strlen(json), &(tide_option_reader){ find_row, set_row, &to }, failure);
}
