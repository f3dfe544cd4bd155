/* From words to options: flag over environment over --config over default. */
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { FIRST_CODE = 1000, NOTE_SIZE = 256 };

typedef struct parser {
    cli_call   *call;
    cli_option  options[CLI_MAX_OPTIONS];
    int         count;
    const char *text[CLI_MAX_OPTIONS];    /* the flag's value as given; "" for a flag without one */
    bool        by_flag[CLI_MAX_OPTIONS], by_environment[CLI_MAX_OPTIONS];
    char        no_effect[NOTE_SIZE];     /* names of options to note, once */
    const char *config;
    bool        help;
} parser;

/* ---- names ---- */

static bool same_name(const char *a, const char *b, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((a[i] == '_' ? '-' : a[i]) != b[i]) return false;
    return b[length] == 0;
}

/* Index of the option of that name (`length` letters of it), -1. */
static int option_index(const parser *p, const char *name, size_t length) {
    for (int i = 0; i < p->count; i++) {
        const cli_option *o = &p->options[i];
        if (same_name(name, o->name, length) || (o->alias && same_name(name, o->alias, length))) return i;
    }
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
    static const char *const words[] = { "true", "false", "True", "False", "yes", "no", "on", "off", "1", "0" };
    for (size_t i = 0; s && i < sizeof words / sizeof *words; i++)
        if (strcmp(s, words[i]) == 0) return true;
    return false;
}

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
static const char *loose_value(const cli_option *o, const char *next) {
    if (o->type == CLI_FLAG) return is_boolean_word(next) ? next : NULL;
    return o->bare && !is_choice(o->choices, next) ? o->bare : next;
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
        const char *value = index >= 0 && !strchr(memory, '=') ? loose_value(&p->options[index], next) : NULL;
        out[n - 1] = memory;
        memory += strlen(memory);
        if (value) memory += sprintf(memory, "=%s", value);
        memory++;
        if (value && value == next) i++;
    }
    return n;
}

static void add_long(struct option *list, int *n, const char *name, const cli_option *o, int code) {
    list[(*n)++] = (struct option){ name, o->type == CLI_FLAG ? optional_argument : required_argument, NULL, code };
}

/* Every option, its alias and, for a flag, its no- form. `negated` holds the latter's names. */
static int make_longs(const parser *p, struct option *list, char (*negated)[40]) {
    int n = 0;
    for (int i = 0; i < p->count; i++) {
        const cli_option *o = &p->options[i];
        int code = FIRST_CODE + 2 * i;
        add_long(list, &n, o->name, o, code);
        if (o->alias) add_long(list, &n, o->alias, o, code);
        if (o->type != CLI_FLAG || (o->flags & CLI_FRONT)) continue;
        snprintf(negated[i], sizeof negated[i], "no-%s", o->name);
        list[n++] = (struct option){ negated[i], no_argument, NULL, code + 1 };
    }
    list[n] = (struct option){ 0 };
    return n;
}

static const char *nearest_option(const parser *p, const char *word, char *buffer, size_t size) {
    char list[CLI_MAX_OPTIONS * 40] = "";
    size_t length = 0;
    for (int i = 0; i < p->count; i++)
        if (!(p->options[i].flags & CLI_HIDDEN))
            length +=
                (size_t)snprintf(list + length, sizeof list - length, "%s%s", length ? "|" : "", p->options[i].name);
    return nearest_in(word, list, buffer, size);
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

static void note_no_effect(parser *p, const cli_option *o) {
    size_t length = strlen(p->no_effect);
    snprintf(p->no_effect + length, sizeof p->no_effect - length, "%s--%s", length ? ", " : "", o->name);
}

static tide_status put_front(parser *p, const cli_option *o, const char *text) {
    bool on = !*text || is_boolean_word(text);
    if (strcmp(o->name, "json") == 0) p->call->json = on;
    if (strcmp(o->name, "verbose") == 0) p->call->verbose = on;
    if (strcmp(o->name, "quiet") == 0) p->call->quiet = on;
    if (strcmp(o->name, "help") == 0) p->help = true;
    if (strcmp(o->name, "config") == 0) p->config = p->call->config = text;
    return TIDE_OK;
}

static tide_status put_option(parser *p, int index, const char *text, tide_failure *failure) {
    const cli_option *o = &p->options[index];
    if (o->flags & CLI_FRONT) return put_front(p, o, text);
    if (o->flags & CLI_NO_EFFECT) note_no_effect(p, o);
    char lower[8] = "";
    if (o->type == CLI_FLAG && is_boolean_word(text))  /* True and False are Python's */
        for (size_t i = 0; text[i]; i++) lower[i] = (char)tolower((unsigned char)text[i]);
    return p->call->command->set(p->call->target, o->name,
                                 o->type == CLI_FLAG && !*text ? NULL
                                 : *lower                      ? lower
                                                               : text,
                                 failure);
}

static bool config_wants(void *user, const char *name) {
    const parser *p = user;
    int index = option_index(p, name, strlen(name));
    return index < 0 || !(p->by_flag[index] || p->by_environment[index] || (p->options[index].flags & CLI_FRONT));
}

static tide_status config_set(void *user, const char *name, const char *text, tide_failure *failure) {
    parser *p = user;
    char near[64], hint[128] = "tidemill forecast train --help lists the options";
    int index = option_index(p, name, strlen(name));
    if (index >= 0) return put_option(p, index, text, failure);
    if (nearest_option(p, name, near, sizeof near)) snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    return complain(failure, name, "unknown option \"%s\"; %s", hint);
}

static const char *environment_value(const cli_option *o) {
    char name[80] = "TIDEMILL_";
    size_t length = strlen(name);
    for (const char *c = o->name; *c && length + 1 < sizeof name; c++)
        name[length++] = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    name[length] = 0;
    const char *value = o->flags & CLI_FRONT ? NULL : getenv(name);
    return value && *value ? value : NULL;
}

/* Lowest level first, so that the last word counts; what a higher level gives is not even read from a lower one. */
static tide_status apply_levels(parser *p, tide_failure *failure) {
    tide_status status = TIDE_OK;
    config_sink sink = { config_wants, config_set, p };
    for (int i = 0; i < p->count; i++)
        if (p->by_flag[i] && (p->options[i].flags & CLI_FRONT)) put_option(p, i, p->text[i], failure);
    if (p->help) return TIDE_OK;
    for (int i = 0; i < p->count; i++) p->by_environment[i] = !p->by_flag[i] && environment_value(&p->options[i]);
    if (p->config) status = config_read(p->config, &sink, failure);
    for (int i = 0; i < p->count && status == TIDE_OK; i++)
        if (p->by_environment[i]) status = put_option(p, i, environment_value(&p->options[i]), failure);
    for (int i = 0; i < p->count && status == TIDE_OK; i++)
        if (p->by_flag[i] && !(p->options[i].flags & CLI_FRONT)) status = put_option(p, i, p->text[i], failure);
    return status;
}

static int short_option(const parser *p, int letter) {
    return letter == 'h'   ? option_index(p, "help", 4)
           : letter == 'v' ? option_index(p, "verbose", 7)
                           : option_index(p, "quiet", 5);
}

static tide_status scan(parser *p, int argc, char **argv, tide_failure *failure) {
    struct option longs[3 * CLI_MAX_OPTIONS];
    char negated[CLI_MAX_OPTIONS][40];
    make_longs(p, longs, negated);
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, ":hvq", longs, NULL)) != -1;) {
        if (code == ':') return complain(failure, argv[optind - 1], "%s needs a value%s", "");
        if (code == '?') return unknown_option(p, argv[optind - 1], failure);
        int index = code >= FIRST_CODE ? (code - FIRST_CODE) / 2 : short_option(p, code);
        p->by_flag[index] = true;
        p->text[index] = code >= FIRST_CODE && (code - FIRST_CODE) % 2 ? "false" : optarg ? optarg : "";
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
    if (count < command->least_words && !p->help) return complain(failure, command->words, "%s is missing; %s", usage);
    for (int i = 0; i < count; i++) p->call->words[p->call->word_count++] = words[i];
    return TIDE_OK;
}

int command_options(const cli_command *command, cli_option *out) {
    int count = command->options ? command->options(out) : 0;
    return count + front_options(out + count);
}

static tide_status parse_all(parser *p, int argc, char **argv, tide_failure *failure) {
    size_t bytes = 16;
    for (int i = 0; i < argc; i++) bytes += 2 * strlen(argv[i]) + 16;  /* a value may be copied behind its option */
    char **tidied = calloc((size_t)argc + 1, sizeof *tidied), *memory = malloc(bytes);
    if (!tidied || !memory) abort();
    int count = tidy(p, argc, argv, tidied, memory);
    tide_status status = scan(p, count, tidied, failure);
    if (status == TIDE_OK) status = apply_levels(p, failure);
    if (status == TIDE_OK) status = take_words(p, count - optind, tidied + optind, failure);
    if (*p->no_effect && status == TIDE_OK && !p->call->quiet)
        say("note: accepted without effect, as in the program they come from: %s", p->no_effect);
    free(tidied);
    free(memory);
    return status;
}

int cli_parse(cli_call *call, int argc, char **argv) {
    tide_failure failure = { 0 };
    parser *p = calloc(1, sizeof *p);
    if (!p) return EXIT_FAILED;
    p->call = call;
    p->count = command_options(call->command, p->options);
    for (int i = 1; i < argc; i++) call->json = call->json || strcmp(argv[i], "--json") == 0;
    tide_status status = parse_all(p, argc, argv, &failure);
    int code = status != TIDE_OK ? report_failure(&failure, call->json) : p->help ? EXIT_DONE : -1;
    if (code == EXIT_DONE && call->word_count && command_is_group(call->command->name))
        code = command_unknown_word(call);
    else if (code == EXIT_DONE) help_command(stdout, call->command);
    free(p);
    return code;
}
