/* --completion: what bash, zsh and fish need to complete a command line, written from the tables. Each script knows the
 * commands, their options, the values of an option that takes one of a few words, and where a value is a file or a
 * folder: by the metavar, FILE or DIR and RUN. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef enum value_kind { VALUE_NONE, VALUE_WORDS, VALUE_FILE, VALUE_FOLDER, VALUE_ANY } value_kind;

static value_kind kind_of_word(const char *word) {
    if (strstr(word, "FILE")) return VALUE_FILE;
    return strstr(word, "DIR") || strstr(word, "RUN") ? VALUE_FOLDER : VALUE_ANY;
}

static value_kind kind_of(const cli_command *command, const tide_option *row, const char **words, char *buffer) {
    *words = command_values(command, row, buffer, CLI_LIST);
    if (row->type == TIDE_OPTION_IS_BOOL) return VALUE_NONE;
    if (*words) return VALUE_WORDS;
    return row->metavar ? kind_of_word(row->metavar) : VALUE_ANY;
}

/* What the command's words are: "tide FILE" is a word and a file. */
static value_kind kind_of_words(const cli_command *command, const char **words, char *buffer) {
    *words = command->suggest ? command->suggest(command->words, buffer, CLI_LIST) : NULL;
    return *words ? VALUE_WORDS : *command->words ? kind_of_word(command->words) : VALUE_NONE;
}

static void put_spaced(FILE *out, const char *list) {
    for (; *list; list++) fputc(*list == '|' ? ' ' : *list, out);
}

static bool shown(const cli_row *r) { return !(r->row->flags & TIDE_OPTION_HIDDEN); }

/* The words after a group's name: "train evaluate ... ". */
static void put_words_after(FILE *out, const char *group) {
    const char *word;
    for (int i = 0; cli_commands[i]; i++)
        if (command_in_group(cli_commands[i], group, &word)) fprintf(out, "%s ", word);
}

/* The i-th of the first words, each once: a group's name begins several commands and is perhaps one itself. False:
 * there are no more. */
static bool first_word(int i, char word[32]) {
    for (int k = 0; cli_commands[k]; k++) {
        size_t length = strcspn(cli_commands[k]->name, " ");
        bool   seen   = false;
        for (int j = 0; j < k; j++)
            seen = seen || (strncmp(cli_commands[j]->name, cli_commands[k]->name, length) == 0 &&
                            strcspn(cli_commands[j]->name, " ") == length);
        if (seen || i--) continue;
        snprintf(word, 32, "%.*s", (int)length, cli_commands[k]->name);
        return true;
    }
    return false;
}

static const char front_words[] = "help --version --help --man --completion";

/* ---- bash ---- */

static void bash_case(FILE *out, value_kind kind, const char *words) {
    if (kind == VALUE_WORDS) fputs("words='", out), put_spaced(out, words), fputs("' ;;\n", out);
    else fprintf(out, "%s ;;\n", kind == VALUE_FILE ? "files=f" : kind == VALUE_FOLDER ? "files=d" : "return");
}

static void bash_command(FILE *out, const cli_command *command) {
    cli_row     rows[CLI_MAX_OPTIONS];
    char        buffer[CLI_LIST];
    const char *words = NULL;
    int         count = command_rows(command, rows);
    fprintf(out, "    '%s')\n      case \"$previous\" in\n", command->name);
    for (int i = 0; i < count; i++) {
        value_kind kind = kind_of(command, rows[i].row, &words, buffer);
        if (kind == VALUE_NONE || !shown(&rows[i])) continue;
        fprintf(out, "        --%s) ", rows[i].row->name);
        bash_case(out, kind, words);
    }
    fputs("        *) words='", out);
    put_words_after(out, command->name);
    for (int i = 0; i < count; i++)
        if (shown(&rows[i])) fprintf(out, "--%s ", rows[i].row->name);
    value_kind kind = kind_of_words(command, &words, buffer);
    if (kind == VALUE_WORDS) put_spaced(out, words);
    fprintf(out, "'%s ;;\n      esac ;;\n", kind == VALUE_FILE ? "; files=f" : kind == VALUE_FOLDER ? "; files=d" : "");
}

static void bash_first_words(FILE *out) {
    char word[32];
    fputs("    ''|help) words='", out);
    for (int i = 0; first_word(i, word); i++) fprintf(out, "%s ", word);
    fprintf(out, "%s' ;;\n    --completion) words='bash zsh fish' ;;\n", front_words);
    for (int i = 0; first_word(i, word); i++) {
        if (!command_is_group(word)) continue;
        fprintf(out, "    'help %s'", word);
        if (!command_find(word)) fprintf(out, "|'%s'", word);
        fputs(") words='", out);
        put_words_after(out, word);
        fputs("' ;;\n", out);
    }
}

/* The command is the first words that are no option, as long as they are before the cursor; "forecast train" if that is
 * one. Bash hands over "--option=value" as three words: the value's option is then two back. */
static void bash_print(FILE *out) {
    fputs("# bash completion of tidemill: source <(tidemill --completion bash)\n"
          "_tidemill() {\n"
          "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words='' files=''\n"
          "  local command=\"${COMP_WORDS[1]}\"\n"
          "  [ \"$current\" = '=' ] && current=''\n"
          "  [ \"$previous\" = '=' ] && previous=${COMP_WORDS[COMP_CWORD-2]}\n"
          "  previous=${previous//_/-}\n"
          "  [ \"$COMP_CWORD\" -eq 1 ] && command=''\n"
          "  [ \"$COMP_CWORD\" -gt 2 ] && case \"$command ${COMP_WORDS[2]}\" in\n    ", out);
    for (int i = 0, first = 1; cli_commands[i]; i++)
        if (strchr(cli_commands[i]->name, ' '))
            fprintf(out, "%s'%s'", first ? "" : "|", cli_commands[i]->name), first = 0;
    fputs("|'help '*) command=\"$command ${COMP_WORDS[2]}\" ;;\n  esac\n"
          "  case \"$command\" in\n", out);
    bash_first_words(out);
    for (int i = 0; cli_commands[i]; i++) bash_command(out, cli_commands[i]);
    fputs("  esac\n"
          "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
          "  case \"$current\" in -*) files='' ;; esac\n"
          "  if [ -n \"$files\" ]; then\n"
          "    local IFS=$'\\n'\n"
          "    COMPREPLY+=($(compgen -\"$files\" -- \"$current\"))\n"
          "    compopt -o filenames 2>/dev/null\n"
          "  fi\n"
          "}\n"
          "complete -F _tidemill tidemill\n", out);
}

/* ---- zsh ---- */

/* Within '...' and within [...] of _arguments. */
static void zsh_text(FILE *out, const char *text) {
    for (; *text; text++) {
        if (*text == '\'') fputs("'\\''", out);
        else if (strchr("[]:\\", *text)) fprintf(out, "\\%c", *text);
        else fputc(*text, out);
    }
}

static void zsh_value(FILE *out, value_kind kind, const char *words) {
    if (kind == VALUE_FILE) fputs("_files", out);
    if (kind == VALUE_FOLDER) fputs("_files -/", out);
    if (kind == VALUE_WORDS) fputc('(', out), put_spaced(out, words), fputc(')', out);
}

static void zsh_option(FILE *out, const cli_command *command, const tide_option *row) {
    char        text[1024], buffer[CLI_LIST];
    const char *words = NULL;
    value_kind  kind = kind_of(command, row, &words, buffer);
    with_dashes(row->help, text, sizeof text);
    fprintf(out, " \\\n        '--%s%s[", row->name, kind == VALUE_NONE ? "" : row->bare ? "=-" : "=");
    zsh_text(out, text);
    fputc(']', out);
    if (kind != VALUE_NONE) {
        fputs(row->bare ? "::" : ":", out);
        zsh_text(out, row->metavar ? row->metavar : "value");
        fputc(':', out);
        zsh_value(out, kind, words);
    }
    fputc('\'', out);
}

static void zsh_command(FILE *out, const cli_command *command) {
    cli_row     rows[CLI_MAX_OPTIONS];
    char        buffer[CLI_LIST];
    const char *words = NULL;
    int         count = command_rows(command, rows);
    fprintf(out, "    ('%s')\n      _arguments -S", command->name);
    for (int i = 0; i < count; i++)
        if (shown(&rows[i])) zsh_option(out, command, rows[i].row);
    value_kind kind = kind_of_words(command, &words, buffer);
    if (kind != VALUE_NONE) {
        fputs(" \\\n        '*:", out), zsh_text(out, command->words), fputc(':', out);
        zsh_value(out, kind, words);
        fputc('\'', out);
    }
    fputs(" ;;\n", out);
}

/* A list for _describe: 'word:what it is'. */
static void zsh_describe(FILE *out, const char *group) {
    const char *word;
    fprintf(out, "    ('%s')\n      local -a names=(", group);
    for (int i = 0; cli_commands[i]; i++) {
        if (!command_in_group(cli_commands[i], group, &word)) continue;
        fprintf(out, "'%s:", word), zsh_text(out, cli_commands[i]->summary), fputs("' ", out);
    }
    fputs(")\n      _describe command names ;;\n", out);
}

/* words[1] is tidemill itself. What _arguments sees begins with the command's last word. */
static void zsh_print(FILE *out) {
    char word[32];
    fputs("#compdef tidemill\n# zsh completion of tidemill: a folder of $fpath holds it as _tidemill\n"
          "_tidemill() {\n"
          "  local group='' command=''\n"
          "  if (( CURRENT == 2 )); then compadd -- ", out);
    for (int i = 0; first_word(i, word); i++) fprintf(out, "%s ", word);
    fprintf(out, "%s; return; fi\n"
            "  command=$words[2]\n"
            "  [[ $command == help ]] && { shift words; (( CURRENT-- )); command=$words[2]; group=help; }\n"
            "  [[ $command == --completion ]] && { compadd bash zsh fish; return; }\n"
            "  if (( CURRENT == 2 )); then compadd -- ", front_words);
    for (int i = 0; first_word(i, word); i++) fprintf(out, "%s ", word);
    fputs("; return; fi\n"
          "  if (( CURRENT == 3 )); then case $command in\n", out);
    for (int i = 0; first_word(i, word); i++)
        if (command_is_group(word)) zsh_describe(out, word);
    fputs("  esac; fi\n"
          "  [[ $group == help ]] && return\n"
          "  case \"$command $words[3]\" in\n    (", out);
    for (int i = 0, first = 1; cli_commands[i]; i++)
        if (strchr(cli_commands[i]->name, ' '))
            fprintf(out, "%s'%s'", first ? "" : "|", cli_commands[i]->name), first = 0;
    fputs(") (( CURRENT > 3 )) && { command=\"$command $words[3]\"; shift words; (( CURRENT-- )); } ;;\n  esac\n"
          "  shift words; (( CURRENT-- ))\n"
          "  case $command in\n", out);
    for (int i = 0; cli_commands[i]; i++) zsh_command(out, cli_commands[i]);
    fputs("  esac\n}\n_tidemill \"$@\"\n", out);
}

/* ---- fish ---- */

static void fish_text(FILE *out, const char *text) {
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

static void fish_value(FILE *out, value_kind kind, const char *words) {
    if (kind == VALUE_WORDS) fputs(" -xa '", out), put_spaced(out, words), fputc('\'', out);
    if (kind == VALUE_FILE) fputs(" -rF", out);
    if (kind == VALUE_FOLDER) fputs(" -xa '(__fish_complete_directories)'", out);
    if (kind == VALUE_ANY) fputs(" -x", out);
}

static void fish_command(FILE *out, const cli_command *command) {
    cli_row     rows[CLI_MAX_OPTIONS];
    char        text[1024], buffer[CLI_LIST];
    const char *words = NULL;
    int         count = command_rows(command, rows);
    for (int i = 0; i < count; i++) {
        if (!shown(&rows[i])) continue;
        with_dashes(rows[i].row->help, text, sizeof text);
        fprintf(out, "complete -c tidemill -n '__tidemill_is %s' -l %s -d ", command->name, rows[i].row->name);
        fish_text(out, text);
        value_kind kind = kind_of(command, rows[i].row, &words, buffer);
        fish_value(out, kind, words);
        fputc('\n', out);
    }
    value_kind kind = kind_of_words(command, &words, buffer);
    if (kind == VALUE_NONE || kind == VALUE_ANY) return;
    fprintf(out, "complete -c tidemill -n '__tidemill_is %s'", command->name);
    if (kind == VALUE_FILE) fputs(" -F\n", out);
    else if (kind == VALUE_FOLDER) fputs(" -a '(__fish_complete_directories)'\n", out);
    else fputs(" -a '", out), put_spaced(out, words), fputs("'\n", out);
}

/* "forecast" is asked for as long as no longer name is there, so a group's commands are offered behind it. */
static void fish_print(FILE *out) {
    char word[32];
    fputs("# fish completion of tidemill: tidemill --completion fish | source\n"
          "# Are the words before the cursor this command's name, and no longer one's?\n"
          "function __tidemill_is\n"
          "  set -l line (commandline -opc)\n"
          "  set -e line[1]\n"
          "  set -l two \"$line[1..2]\"\n"
          "  if contains -- \"$two\"", out);
    for (int i = 0; cli_commands[i]; i++)
        if (strchr(cli_commands[i]->name, ' ')) fprintf(out, " '%s'", cli_commands[i]->name);
    fputs("\n    test \"$two\" = \"$argv\"\n  else\n    test \"$line[1]\" = \"$argv\"\n  end\nend\n"
          "complete -c tidemill -f\n"
          "complete -c tidemill -n '__fish_use_subcommand' -l version -d 'the version'\n"
          "complete -c tidemill -n '__fish_use_subcommand' -l man -d 'the man page'\n"
          "complete -c tidemill -n '__fish_use_subcommand' -l completion -xa 'bash zsh fish' -d 'for a shell'\n"
          "complete -c tidemill -n '__fish_use_subcommand' -a help -d 'help on a command'\n", out);
    for (int i = 0; first_word(i, word); i++) {
        const cli_command *command = command_find(word);
        fprintf(out, "complete -c tidemill -n '__fish_use_subcommand; or __tidemill_is help' -a %s -d ", word);
        fish_text(out, command ? command->summary : "commands on this");
        fputc('\n', out);
    }
    for (int i = 0; cli_commands[i]; i++) {
        const char *second = strchr(cli_commands[i]->name, ' ');
        if (second) {
            fprintf(out, "complete -c tidemill -n '__tidemill_is %.*s' -a %s -d ",
                    (int)(second - cli_commands[i]->name), cli_commands[i]->name, second + 1);
            fish_text(out, cli_commands[i]->summary);
            fputc('\n', out);
        }
        fish_command(out, cli_commands[i]);
    }
}

bool completion_print(FILE *out, const char *shell) {
    static const struct { const char *name; void (*print)(FILE *); } shells[] = {
        { "bash", bash_print }, { "zsh", zsh_print }, { "fish", fish_print },
    };
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shell, shells[i].name) == 0) return shells[i].print(out), true;
    return false;
}
