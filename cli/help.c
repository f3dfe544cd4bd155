/* --help and "tidemill help": the rows of the tables as people read them. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { HELP_COLUMN = 30, HELP_WIDTH = 100, SHORT_CHOICES = 26 };

void help_value(char *buffer, size_t size, const tide_option *row) {
    bool few = row->choices && strlen(row->choices) <= SHORT_CHOICES;
    if (row->type == TIDE_OPTION_IS_BOOL) buffer[0] = 0;
    else if (row->bare) snprintf(buffer, size, "[=%s]", few ? row->choices : "WORD");
    else if (row->choices) snprintf(buffer, size, " %s", few ? row->choices : "WORD");
    else snprintf(buffer, size, " %s", row->metavar ? row->metavar : "X");
}

/* Words of `text` from column HELP_COLUMN on. */
static void put_wrapped(FILE *out, const char *text, int column) {
    int at = column;
    for (size_t length; *text; text += length + strspn(text + length, " ")) {
        length = strcspn(text, " ");
        if (at + 1 + (int)length > HELP_WIDTH && at > HELP_COLUMN) at = fprintf(out, "\n%*s", HELP_COLUMN, "") - 1;
        at += fprintf(out, "%s%.*s", at > HELP_COLUMN ? " " : "", (int)length, text);
    }
    fputc('\n', out);
}

/* The default as text: what the command turns on, what the row says, else what zero means. */
static const char *standard_text(char *buffer, size_t size, const tide_option *row) {
    bool number = row->type == TIDE_OPTION_IS_INT || row->type == TIDE_OPTION_IS_REAL;
    const char *words = row->type == TIDE_OPTION_IS_CHOICE ? row->choices : "";
    if (row->flags & TIDE_OPTION_COMMAND_ON) snprintf(buffer, size, "true");
    else if (row->standard || number) snprintf(buffer, size, "%s", row->standard ? row->standard : "0");
    else snprintf(buffer, size, "%.*s", (int)strcspn(words, "|"), words);
    return buffer;
}

static void add(char *buffer, size_t size, const char *before, const char *text, const char *after) {
    size_t n = strlen(buffer);
    if (n < size) snprintf(buffer + n, size - n, "%s%s%s", before, text, after);
}

/* Words that the value's own place in the line does not show: many choices, or the devices of this build; NULL. */
static const char *words_of(const tide_option *row, char *buffer, size_t size) {
    if (row->choices) return strlen(row->choices) > SHORT_CHOICES ? row->choices : NULL;
    return row->metavar && strcmp(row->metavar, "DEVICE") == 0 ? device_words(row, buffer, size) : NULL;
}

void help_text(char *buffer, size_t size, const tide_option *row) {
    char text[512], list[256];
    const char *words = words_of(row, list, sizeof list);
    with_dashes(row->help, buffer, size);
    if (words) {
        char *to = text;
        for (const char *c = words; *c && to < text + sizeof text - 3; c++)
            to = stpcpy(to, *c == '|' ? ", " : (char[]){ *c, 0 });
        add(buffer, size, ": ", text, "");
    }
    standard_text(text, sizeof text, row);
    if (row->type != TIDE_OPTION_IS_BOOL && *text) add(buffer, size, " [", text, "]");
    if (row->type == TIDE_OPTION_IS_BOOL && strcmp(text, "true") == 0)
        add(buffer, size, " (on by default; --no-", row->name, ")");
    for (const char *a = row->aliases; a && *a; a += strcspn(a, "|"), a += *a == '|') {
        snprintf(text, sizeof text, "%.*s", (int)strcspn(a, "|"), a);
        add(buffer, size, a == row->aliases ? " (also --" : ", --", text, a[strlen(text)] ? "" : ")");
    }
}

static void help_option(FILE *out, const tide_option *row) {
    char value[64], text[1024];
    help_value(value, sizeof value, row);
    help_text(text, sizeof text, row);
    int column = fprintf(out, "  --%s%s", row->name, value);
    if (column >= HELP_COLUMN - 1) column = fprintf(out, "\n") - 1;
    fprintf(out, "%*s", HELP_COLUMN - column, "");
    put_wrapped(out, text, HELP_COLUMN);
}

static bool shown(const cli_row *r) { return !(r->row->flags & TIDE_OPTION_HIDDEN); }

static bool same_group(const cli_row *a, const cli_row *b) { return strcmp(a->row->group, b->row->group) == 0; }

static bool group_seen(const cli_row *rows, int i) {
    for (int k = 0; k < i; k++)
        if (shown(&rows[k]) && same_group(&rows[k], &rows[i])) return true;
    return false;
}

static void help_options(FILE *out, const cli_row *rows, int count) {
    for (int i = 0; i < count; i++) {
        if (!shown(&rows[i]) || group_seen(rows, i)) continue;
        fprintf(out, "\n%s\n", rows[i].row->group);
        for (int k = i; k < count; k++)
            if (shown(&rows[k]) && same_group(&rows[k], &rows[i])) help_option(out, rows[k].row);
    }
}

static void list_commands(FILE *out, const char *group) {
    const char *word;
    for (int i = 0; cli_commands[i]; i++)
        if (!*group || command_in_group(cli_commands[i], group, &word))
            fprintf(out, "  tidemill %-18s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
}

void help_command(FILE *out, const cli_command *command) {
    cli_row rows[CLI_MAX_OPTIONS];
    int count = command_rows(command, rows);
    fprintf(out, "tidemill %s%s%s [options]\n  %s\n", command->name, *command->words ? " " : "", command->words,
            command->summary);
    if (*command->more) fprintf(out, "\n%s", command->more);
    if (command_is_group(command->name)) {
        fputs("\nCommands\n", out);
        list_commands(out, command->name);
    }
    help_options(out, rows, count);
    fputs("\nOptions can also come from the environment (TIDEMILL_SEQ_LEN=96) and from --config; '_' equals '-'.\n",
          out);
}

void help_group(FILE *out, const char *name) {
    fprintf(out, "tidemill %s COMMAND [options]\n\n", name);
    list_commands(out, name);
    fprintf(out, "\n  tidemill help %s COMMAND      the same as %s COMMAND --help\n", name, name);
}

void help_front(FILE *out) {
    fputs("tidemill: trains and serves small scientific models on the machine in front of you\n\n", out);
    list_commands(out, "");
    fputs("\n  tidemill help COMMAND      the same as COMMAND --help\n"
          "  tidemill --version | --man [COMMAND] | --completion bash|zsh|fish\n\n"
          "A first run:\n"
          "  tidemill data get etth1\n"
          "  tidemill forecast train --preset etth1-96 --data ~/.cache/tidemill/ETTh1.csv --out runs/first\n"
          "  tidemill forecast predict runs/first\n", out);
}
