/* From words to options: flag over environment over --config over default. */
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"

enum { FIRST_CODE = 1000, NOTE_SIZE = 256, LONGEST_NAME = 48, NAMES = 4 };

typedef struct parser {
    cli_call   *call;
    cli_row     rows[CLI_MAX_OPTIONS];
    int         count;
    const char *text[CLI_MAX_OPTIONS];    /* the flag's value as given; NULL for a flag without one */
    bool        by_flag[CLI_MAX_OPTIONS], by_environment[CLI_MAX_OPTIONS];
    char        no_effect[NOTE_SIZE];     /* names of options to note, once */
    struct option longs[NAMES * CLI_MAX_OPTIONS];
    char        names[NAMES * CLI_MAX_OPTIONS][LONGEST_NAME];  /* aliases, no- forms */
} parser;

/* ---- names ---- */

/* Index of the option of that name (`length` letters of it), -1. */
static int option_index(const parser *p, const char *name, size_t length) {
    char word[LONGEST_NAME];
    if (length >= sizeof word) return -1;
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    for (int i = 0; i < p->count; i++)
        if (tide_option_find(&(tide_option_table){ p->rows[i].row, 1, 0, 0 }, word)) return i;
    return -1;
}

static bool is_choice(const char *choices, const char *word) {
    for (size_t length; choices && word && *choices; choices += length + (choices[length] == '|')) {
        length = strcspn(choices, "|");
        if (strlen(word) == length && strncmp(choices, word, length) == 0) return true;
    }
    return false;
}

static bool is_boolean_word(const char *s) {
    static const char words[] = "true|false|True|False|yes|no|on|off|1|0";
    return is_choice(words, s);
}

/* Does the option of a bare word take this one as its value, under whatever name? */
static bool is_value(const tide_option *row, const char *word) {
    int         index;
    tide_option alone = *row;
    alone.offset = 0;
    return word && tide_option_put(&(tide_option_table){ &alone, 1, sizeof index, 0 }, &index, row->name, word,
                                   NULL) == TIDE_OK;
}

static bool is_switch(const tide_option *row) { return row->type == TIDE_OPTION_IS_BOOL; }

static tide_status complain(tide_failure *f, const char *option, const char *format, const char *detail) {
    *f = (tide_failure){ .status = TIDE_EINVAL };
    snprintf(f->column, sizeof f->column, "%s", option);
    snprintf(f->message, sizeof f->message, format, option, detail);
    return TIDE_EINVAL;
}

/* ---- the words as getopt likes them ---- */

/* Writes "--seq_len=9" as "--seq-len=9" to `word`; returns the index of the option, -1 if there is none of that
 * name. */
static int tidy_name(const parser *p, const char *argument, char *word) {
    size_t length = strcspn(argument + 2, "=");
    strcpy(word, argument);
    for (size_t k = 2; k < 2 + length; k++) word[k] = word[k] == '_' ? '-' : word[k];
    return option_index(p, argument + 2, length);
}

/* The value that belongs to the option but is not joined to it: the next word, or what the bare option means.
 * NULL: the next word is not for this option. */
static const char *loose_value(const tide_option *row, const char *next) {
    if (is_switch(row)) return is_boolean_word(next) ? next : NULL;
    return row->bare && !is_value(row, next) ? row->bare : next;
}

/* --seq_len becomes --seq-len, "--use-norm false" becomes "--use-norm=false". Returns argv's new length. */
static int tidy(const parser *p, int argc, char **argv, char **out, char *memory) {
    int n = 1;
    out[0] = argv[0];
    for (int i = 1; i < argc; i++) {
        bool end = strcmp(argv[i], "--") == 0;
        out[n++] = argv[i];
        while (end && ++i < argc) out[n++] = argv[i];
        if (end || strncmp(argv[i], "--", 2) != 0) continue;
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;
        int index = tidy_name(p, argv[i], memory);
        const char *value = index >= 0 && !strchr(memory, '=') ? loose_value(p->rows[index].row, next) : NULL;
        out[n - 1] = memory;
        memory += strlen(memory);
        if (value) memory += sprintf(memory, "=%s", value);
        memory++;
        if (value && value == next) i++;
    }
    return n;
}

static void add_long(parser *p, int *n, const char *prefix, const char *name, size_t length, int argument, int code) {
    snprintf(p->names[*n], LONGEST_NAME, "%s%.*s", prefix, (int)length, name);
    p->longs[*n] = (struct option){ p->names[*n], argument, NULL, code };
    ++*n;
}

/* Every option, its aliases and, for a switch, its no- form. */
static void make_longs(parser *p) {
    int n = 0;
    for (int i = 0; i < p->count; i++) {
        const tide_option *row = p->rows[i].row;
        int code = FIRST_CODE + 2 * i, argument = is_switch(row) ? optional_argument : required_argument;
        add_long(p, &n, "", row->name, strlen(row->name), argument, code);
        for (const char *a = row->aliases; a && *a; a += strcspn(a, "|"), a += *a == '|')
            add_long(p, &n, "", a, strcspn(a, "|"), argument, code);
        if ((is_switch(row) || row->bare) && !p->rows[i].front)
            add_long(p, &n, "no-", row->name, strlen(row->name), no_argument, code + 1);
    }
}

static const char *nearest_option(const parser *p, const char *word, char *buffer, size_t size) {
    char list[CLI_MAX_OPTIONS * 40] = "";
    size_t length = 0;
    for (int i = 0; i < p->count; i++)
        if (!(p->rows[i].row->flags & TIDE_OPTION_HIDDEN))
            length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", length ? "|" : "",
                                       p->rows[i].row->name);
    return tide_word_nearest(word, list, buffer, size);
}

static tide_status unknown_option(const parser *p, const char *word, tide_failure *failure) {
    char name[64], near[64], hint[128];
    size_t length = strcspn(word, "=");
    snprintf(name, sizeof name, "%.*s", (int)length, word);
    const char *found = strncmp(name, "--", 2) == 0 ? nearest_option(p, name + 2, near, sizeof near) : NULL;
    if (found) snprintf(hint, sizeof hint, "did you mean --%s?", found);
    else snprintf(hint, sizeof hint, "tidemill %s --help lists them all", p->call->command->name);
    return complain(failure, name, "unknown option %s; %s", hint);
}

/* ---- applying ---- */

static void note_no_effect(parser *p, const tide_option *row) {
    size_t length = strlen(p->no_effect);
    snprintf(p->no_effect + length, sizeof p->no_effect - length, "%s--%s", length ? ", " : "", row->name);
}

static tide_status put_option(parser *p, int index, const char *text, tide_failure *failure) {
    const cli_row *r = &p->rows[index];
    cli_call *call = p->call;
    if (r->front) return tide_option_set(r->table, call, r->row->name, text, failure);
    if (r->row->flags & TIDE_OPTION_NO_EFFECT) note_no_effect(p, r->row);
    if (call->command->take && call->command->take(call->target, r->row->name, text)) return TIDE_OK;
    return tide_option_set(r->table, (char *)call->target + r->offset, r->row->name, text, failure);
}

/* "forecast" of "forecast train": a run of the one is no configuration of the other. */
static tide_status same_application(const parser *p, const char *command, tide_failure *failure) {
    char   of_run[32];
    size_t length = strcspn(command, " ");
    const char *own = p->call->command->name;
    snprintf(of_run, sizeof of_run, "%.*s", (int)length, command);
    bool mine = strncmp(own, of_run, length) == 0 && (own[length] == ' ' || !own[length]);
    if (!*command || mine || !command_is_group(of_run) || (!strchr(own, ' ') && !command_is_group(own))) return TIDE_OK;
    return complain(failure, "config", "%s: it is the run.json of tidemill %s", command);
}

static const tide_option *config_find(void *user, const char *name, const char *command, tide_failure *failure) {
    const parser *p = user;
    char near[64], hint[128];
    int index = option_index(p, name, strlen(name));
    if (command && same_application(p, command, failure) != TIDE_OK) return NULL;
    if (index >= 0)
        return p->by_flag[index] || p->by_environment[index] || p->rows[index].front ? NULL : p->rows[index].row;
    if (command) return NULL; /* of a run: another command's option, or no option */
    if (nearest_option(p, name, near, sizeof near)) snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    else snprintf(hint, sizeof hint, "tidemill %s --help lists the options", p->call->command->name);
    complain(failure, name, "unknown option \"%s\"; %s", hint);
    return NULL;
}

static tide_status config_set(void *user, const tide_option *row, const char *text, tide_failure *failure) {
    parser *p = user;
    int index = 0;
    while (p->rows[index].row != row) index++;
    return put_option(p, index, text, failure);
}

/* TIDEMILL_SEQ_LEN, or the variable of another name of the option. */
static const char *environment_value(const cli_row *r) {
    const char *name = r->row->name, *more = r->row->aliases ? r->row->aliases : "", *value = NULL;
    while (!r->front && name && *name && !(value && *value)) {
        char   variable[80] = "TIDEMILL_";
        size_t length = strlen(variable);
        for (const char *c = name; *c && *c != '|' && length + 1 < sizeof variable; c++)
            variable[length++] = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
        variable[length] = 0;
        value = getenv(variable);
        name = more;
        more += strcspn(more, "|"), more += *more == '|';
    }
    return value && *value ? value : NULL;
}

/* Lowest level first, so that the last word counts; what a higher level gives is not even read from a lower one. */
static tide_status apply_levels(parser *p, tide_failure *failure) {
    tide_status status = TIDE_OK;
    tide_option_reader reader = { config_find, config_set, p };
    for (int i = 0; i < p->count && status == TIDE_OK; i++)
        if (p->by_flag[i] && p->rows[i].front) status = put_option(p, i, p->text[i], failure);
    progress_as_data(p->call->progress);
    if (p->call->help || status != TIDE_OK) return status;
    for (int i = 0; i < p->count; i++) p->by_environment[i] = !p->by_flag[i] && environment_value(&p->rows[i]);
    if (*p->call->config) status = config_read(p->call->config, &reader, failure);
    for (int i = 0; i < p->count && status == TIDE_OK; i++)
        if (p->by_environment[i]) status = put_option(p, i, environment_value(&p->rows[i]), failure);
    for (int i = 0; i < p->count && status == TIDE_OK; i++)
        if (p->by_flag[i] && !p->rows[i].front) status = put_option(p, i, p->text[i], failure);
    return status;
}

static int short_option(const parser *p, int letter) {
    return letter == 'h'   ? option_index(p, "help", 4)
           : letter == 'v' ? option_index(p, "verbose", 7)
                           : option_index(p, "quiet", 5);
}

static tide_status scan(parser *p, int argc, char **argv, tide_failure *failure) {
    make_longs(p);
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, ":hvq", p->longs, NULL)) != -1;) {
        if (code == ':') return complain(failure, argv[optind - 1], "%s needs a value%s", "");
        if (code == '?') return unknown_option(p, argv[optind - 1], failure);
        int index = code >= FIRST_CODE ? (code - FIRST_CODE) / 2 : short_option(p, code);
        p->by_flag[index] = true;
        p->text[index] = code >= FIRST_CODE && (code - FIRST_CODE) % 2 ? "false" : optarg;
    }
    return TIDE_OK;
}

static tide_status take_words(parser *p, int count, char **words, tide_failure *failure) {
    const cli_command *command = p->call->command;
    char usage[160];
    snprintf(usage, sizeof usage, "usage: tidemill %s%s%s [options]", command->name, *command->words ? " " : "",
             command->words);
    if (count > command->most_words)
        return complain(failure, words[command->most_words], "unexpected word \"%s\"; %s", usage);
    if (count < command->least_words && !p->call->help)
        return complain(failure, command->words, "%s is missing; %s", usage);
    for (int i = 0; i < count; i++) p->call->words[p->call->word_count++] = words[i];
    return TIDE_OK;
}

static tide_status parse_all(parser *p, int argc, char **argv, char **tidied, char *memory, tide_failure *failure) {
    int         count = tidy(p, argc, argv, tidied, memory);
    tide_status status = scan(p, count, tidied, failure);
    if (status == TIDE_OK) status = apply_levels(p, failure);
    if (status == TIDE_OK) status = take_words(p, count - optind, tidied + optind, failure);
    if (*p->no_effect && status == TIDE_OK && !p->call->quiet)
        say("note: accepted without effect, as in the program they come from: %s", p->no_effect);
    return status;
}

int cli_parse(cli_call *call, int argc, char **argv) {
    tide_failure failure = { 0 };
    size_t bytes = 16;
    for (int i = 0; i < argc; i++) bytes += 2 * strlen(argv[i]) + 16;  /* a value may be copied behind its option */
    for (int i = 1; i < argc; i++) call->json = call->json || strcmp(argv[i], "--json") == 0;
    progress_as_data(progress_asked(argc, argv));
    parser *p = calloc(1, sizeof *p);
    char  **tidied = calloc((size_t)argc + 1, sizeof *tidied), *memory = malloc(bytes);
    tide_status status = TIDE_ENOMEM;
    if (p && tidied && memory) {
        p->call = call;
        p->count = command_rows(call->command, p->rows);
        status = parse_all(p, argc, argv, tidied, memory, &failure);
    } else failure = (tide_failure){ .status = TIDE_ENOMEM, .message = "out of memory for the command line" };
    int code = status != TIDE_OK ? report_failure(&failure, call->json) : call->help ? CLI_HELP : CLI_GO_ON;
    free(p);
    free(tidied);
    free(memory);
    return code;
}
