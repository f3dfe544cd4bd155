/* --help, the man page and the completion of bash: three views of the same tables. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { HELP_COLUMN = 30, HELP_WIDTH = 100 };

/* ---- help ---- */

static void put_value(char *buffer, size_t size, const cli_option *o) {
    if (o->choices) snprintf(buffer, size, " %s", strlen(o->choices) <= 26 ? o->choices : "WORD");
    else if (o->type != CLI_FLAG) snprintf(buffer, size, " %s", o->metavar ? o->metavar : "X");
    else buffer[0] = 0;
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

/* What follows the help text: the words to choose from, the default, the other name. */
static void help_text(char *buffer, size_t size, const cli_option *o) {
    size_t n = (size_t)snprintf(buffer, size, "%s", o->help);
    if (o->choices && strlen(o->choices) > 26) {
        n += (size_t)snprintf(buffer + n, size - n, ": ");
        for (const char *c = o->choices; *c && n + 3 < size; c++)
            n += (size_t)snprintf(buffer + n, size - n, *c == '|' ? ", " : "%c", *c);
    }
    if (o->fallback[0] && n < size) n += (size_t)snprintf(buffer + n, size - n, " [%s]", o->fallback);
    if (o->alias && n < size) snprintf(buffer + n, size - n, " (also --%s)", o->alias);
}

static void help_option(FILE *out, const cli_option *o) {
    char value[64], text[1024];
    put_value(value, sizeof value, o);
    help_text(text, sizeof text, o);
    int column = fprintf(out, "  --%s%s", o->name, value);
    if (column >= HELP_COLUMN - 1) column = fprintf(out, "\n") - 1;
    fprintf(out, "%*s", HELP_COLUMN - column, "");
    put_wrapped(out, text, HELP_COLUMN);
}

static const char *group_of(const cli_option *o) { return o->group ? o->group : "Options"; }

static bool group_seen(const cli_option *options, int i) {
    for (int k = 0; k < i; k++)
        if (!(options[k].flags & CLI_HIDDEN) && strcmp(group_of(&options[k]), group_of(&options[i])) == 0) return true;
    return false;
}

static void help_options(FILE *out, const cli_option *options, int count) {
    for (int i = 0; i < count; i++) {
        if ((options[i].flags & CLI_HIDDEN) || group_seen(options, i)) continue;
        fprintf(out, "\n%s\n", group_of(&options[i]));
        for (int k = i; k < count; k++)
            if (!(options[k].flags & CLI_HIDDEN) && strcmp(group_of(&options[k]), group_of(&options[i])) == 0)
                help_option(out, &options[k]);
    }
}

static void list_commands(FILE *out, const char *group) {
    const char *word;
    for (int i = 0; cli_commands[i]; i++)
        if (command_in_group(cli_commands[i], group, &word))
            fprintf(out, "  tidemill %-18s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
}

void help_command(FILE *out, const cli_command *command) {
    cli_option options[CLI_MAX_OPTIONS];
    int count = command_options(command, options);
    fprintf(out, "tidemill %s%s%s [options]\n  %s\n", command->name, *command->words ? " " : "", command->words,
            command->summary);
    if (*command->more) fprintf(out, "\n%s", command->more);
    if (command_is_group(command->name)) {
        fputs("\nCommands\n", out);
        list_commands(out, command->name);
    }
    help_options(out, options, count);
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
    for (int i = 0; cli_commands[i]; i++)
        fprintf(out, "  tidemill %-18s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    fputs("\n  tidemill help COMMAND      the same as COMMAND --help\n"
          "  tidemill --version | --man | --completion bash\n\n"
          "A first run:\n"
          "  tidemill data get etth1\n"
          "  tidemill forecast train --preset etth1-96 --data ~/.cache/tidemill/ETTh1.csv --out runs/first\n"
          "  tidemill forecast predict runs/first\n", out);
}

/* ---- man ---- */

/* roff takes '-' for a hyphen, '\' for itself and a leading '.' or '\'' for a command. */
static void man_text(FILE *out, const char *s) {
    for (bool start = true; *s; s++) {
        if (start && (*s == '.' || *s == '\'')) fputs("\\&", out);
        if (*s == '-') fputs("\\-", out);
        else if (*s == '\\') fputs("\\e", out);
        else fputc(*s, out);
        start = *s == '\n';
    }
}

static void man_option(FILE *out, const cli_option *o) {
    char value[64], text[1024];
    put_value(value, sizeof value, o);
    help_text(text, sizeof text, o);
    fputs(".TP\n\\fB\\-\\-", out);
    man_text(out, o->name);
    fputs("\\fR", out);
    man_text(out, value);
    fputc('\n', out);
    man_text(out, text);
    fputc('\n', out);
}

static void man_command(FILE *out, const cli_command *command) {
    cli_option options[CLI_MAX_OPTIONS];
    int count = command_options(command, options);
    fprintf(out, ".SS tidemill %s %s\n", command->name, command->words);
    man_text(out, command->summary);
    fputs(".\n", out);
    if (*command->more) {
        fputs(".PP\n.nf\n", out);
        man_text(out, command->more);
        fputs(".fi\n", out);
    }
    for (int i = 0; i < count; i++)
        if (!(options[i].flags & (CLI_HIDDEN | CLI_FRONT))) man_option(out, &options[i]);
}

void man_print(FILE *out) {
    cli_option front[CLI_MAX_OPTIONS];
    int count = front_options(front);
    fputs(".TH TIDEMILL 1 \"\" \"tidemill " TIDE_VERSION "\" \"User Commands\"\n.SH NAME\ntidemill \\- "
          "trains and serves small scientific models\n.SH SYNOPSIS\n.B tidemill\n.I command\n[options]\n.SH COMMANDS\n", out);
    for (int i = 0; cli_commands[i]; i++) man_command(out, cli_commands[i]);
    fputs(".SH OPTIONS OF EVERY COMMAND\n", out);
    for (int i = 0; i < count; i++) man_option(out, &front[i]);
    fputs(".SH ENVIRONMENT\nEvery option can be set as \\fBTIDEMILL_\\fIOPTION\\fR. \\fBNO_COLOR\\fR, "
          "\\fBXDG_CACHE_HOME\\fR and "
          "\\fBOMP_NUM_THREADS\\fR are honoured.\n"
          ".SH EXIT STATUS\n0 done, 1 failed, 2 usage, 3 bad input, 4 device or feature missing, 130 interrupted "
          "after a "
          "checkpoint.\n",
          out);
}

/* ---- completion ---- */

/* The values of an option that takes one of a few words; NULL: any text. */
static const char *completion_values(const cli_option *o) {
    return o->choices ? o->choices : strcmp(o->name, "device") == 0 ? "cpu|ref|check" : NULL;
}

/* The words after a group's name: "train|evaluate|...", by blanks. */
static void completion_words(FILE *out, const char *group) {
    const char *word;
    for (int i = 0; cli_commands[i]; i++)
        if (command_in_group(cli_commands[i], group, &word)) fprintf(out, "%s ", word);
}

static void completion_command(FILE *out, const cli_command *command) {
    cli_option options[CLI_MAX_OPTIONS];
    int count = command_options(command, options);
    fprintf(out, "    '%s')\n      case \"$previous\" in\n", command->name);
    for (int i = 0; i < count; i++) {
        const char *c = completion_values(&options[i]);
        if (!c || (options[i].flags & CLI_HIDDEN)) continue;
        fprintf(out, "        --%s) words='", options[i].name);
        for (; *c; c++) fputc(*c == '|' ? ' ' : *c, out);
        fputs("' ;;\n", out);
    }
    fputs("        *) words='", out);
    completion_words(out, command->name);
    for (int i = 0; i < count; i++)
        if (!(options[i].flags & CLI_HIDDEN)) fprintf(out, "--%s ", options[i].name);
    fputs("' ;;\n      esac ;;\n", out);
}

/* The first words, each once: a group's name is the start of several commands' and perhaps a command itself. */
static void completion_first_words(FILE *out) {
    char   seen[1024] = " ", word[66];
    for (int i = 0; cli_commands[i]; i++) {
        snprintf(word, sizeof word, " %.*s ", (int)strcspn(cli_commands[i]->name, " "), cli_commands[i]->name);
        if (strstr(seen, word)) continue;
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s", word + 1);
    }
    fprintf(out, "    ''|help) words='%shelp --version --help --man --completion' ;;\n", seen + 1);
    for (char *c = strtok(seen, " "); c; c = strtok(NULL, " ")) {
        if (!command_is_group(c)) continue;
        fprintf(out, "    'help %s'", c);
        if (!command_find(c)) fprintf(out, "|'%s'", c);
        fputs(") words='", out);
        completion_words(out, c);
        fputs("' ;;\n", out);
    }
}

/* The command is the first words that are no option, as long as they are before the cursor; "forecast train" if that is
 * one. */
void completion_print(FILE *out) {
    fputs("# bash completion of tidemill: source <(tidemill --completion bash)\n"
          "_tidemill() {\n"
          "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=''\n"
          "  local command=\"${COMP_WORDS[1]}\"\n"
          "  [ \"$COMP_CWORD\" -eq 1 ] && command=''\n"
          "  [ \"$COMP_CWORD\" -gt 2 ] && case \"$command ${COMP_WORDS[2]}\" in\n    ", out);
    for (int i = 0, first = 1; cli_commands[i]; i++)
        if (strchr(cli_commands[i]->name, ' '))
            fprintf(out, "%s'%s'", first ? "" : "|", cli_commands[i]->name), first = 0;
    fputs("|'help '*) command=\"$command ${COMP_WORDS[2]}\" ;;\n  esac\n"
          "  case \"$command\" in\n", out);
    completion_first_words(out);
    for (int i = 0; cli_commands[i]; i++) completion_command(out, cli_commands[i]);
    fputs("  esac\n"
          "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
          "}\n"
          "complete -o default -F _tidemill tidemill\n", out);
}
