/* Options as rows of a table. A row says all there is to an option: names, type, range, default, what it is for.
 * Command lines, --config files, run.json, forms, help, man pages and shell completion are views of the same rows.
 *
 *     static const tide_option rows[] = {
 *         { "rows", TIDE_OPTION_INT(series, rows, 1, 1e6), "100", 0, "Series", "N", "hours to write" },
 *         { "overwrite", TIDE_OPTION_BOOL(series, overwrite), "false", 0, "Series", NULL, "replace the file" },
 *     };
 *     static const tide_option_table table = TIDE_OPTION_TABLE(series, rows);
 *     series s;
 *     tide_options_default(&table, &s);
 *     tide_option_set(&table, &s, "rows", "48", &failure);
 *
 * In the names of options '_' equals '-'. Every message of this library that names an option writes its name in
 * backticks, `seq-len`, and failure.column holds it: how an option is spelled where a user gives it (--seq-len on the
 * command line, a field of a form) is up to whoever shows the message. Functions take NULL for anything; those that
 * return a status then return TIDE_EINVAL. */
#ifndef TIDEMILL_OPTIONS_H
#define TIDEMILL_OPTIONS_H

#include <stddef.h>

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tide_option_type {
    TIDE_OPTION_IS_BOOL,    /* bool:    as text true, yes, on, 1, false, no, off, 0, in any case */
    TIDE_OPTION_IS_INT,     /* int64_t: low <= value <= high */
    TIDE_OPTION_IS_REAL,    /* double:  low <= value <= high */
    TIDE_OPTION_IS_CHOICE,  /* int:     index of a word of `choices` */
    TIDE_OPTION_IS_TEXT,    /* char[size] */
    TIDE_OPTION_IS_LIST     /* char[size]: lines; setting it adds one */
} tide_option_type;

/* In `flags` of a row. The bits below are the table's own: which command takes the option. */
enum {
    TIDE_OPTION_RESOURCE   = 1 << 23,  /* names a path, or a part of the machine (threads, memory, a device): for who
                                          sits at it. No request to a service sets it */
    TIDE_OPTION_HIDDEN     = 1 << 24,  /* accepted, not shown */
    TIDE_OPTION_NO_EFFECT  = 1 << 25,  /* accepted, never had an effect in the programs it comes from */
    TIDE_OPTION_MAY_DIFFER = 1 << 26,  /* does not change the result: a resumed run may have another value */
    TIDE_OPTION_PLACE      = 1 << 27,  /* where and over what a run is written: no setting of the next run */
    TIDE_OPTION_COMMAND_ON = 1 << 28   /* BOOL: off for a program, which asks for it; on in a command unless refused */
};

typedef struct tide_option {
    const char      *name;      /* "seq-len" */
    tide_option_type type;
    size_t           offset;    /* of the field in the options' struct */
    size_t           size;      /* of a text field */
    const char      *choices;   /* CHOICE: "custom|etth|..." */
    double           low, high;
    const char      *standard;  /* the default as text; NULL: zero, "" or the first choice */
    unsigned         flags;
    const char      *group;     /* "Training": the heading under which it is listed; NULL */
    const char      *metavar;   /* what stands for the value in help: FILE and DIR are paths, RUN a run folder, DEVICE
                                   one of tide_devices(), perhaps with ":INDEX"; NULL */
    const char      *help;      /* one line */
    const char      *aliases;   /* other names: "lr|rate"; NULL */
    const char      *bare;      /* CHOICE: the word that the option means without a value. Then yes means that word too,
                                   and no the first choice; NULL: it needs one */
    const char      *synonyms;  /* CHOICE, TEXT: other words: "parallel=shunt|series=chain"; NULL. Of a text with commas
                                   each word counts. The option holds the word behind '=' */
    const char      *suggested; /* TEXT: likely values, "gcv|l-curve"; NULL */
    const char      *refused;   /* CHOICE: words of other programs, each with what to use here: "inductor=`default`"; it
                                   ends what is said of them; NULL */
} tide_option;

typedef struct tide_option_table {
    const tide_option *rows;
    int64_t            count;
    size_t             size;    /* of the options' struct */
    size_t             given;   /* offset in it of bool given[count at least], by row: set explicitly; 0: it has none */
} tide_option_table;

/* The type's part of a row, for a field of struct S. */
#define TIDE_OPTION_BOOL(S, field) TIDE_OPTION_IS_BOOL, offsetof(S, field), 0, NULL, 0, 0
#define TIDE_OPTION_INT(S, field, low, high) TIDE_OPTION_IS_INT, offsetof(S, field), 0, NULL, low, high
#define TIDE_OPTION_REAL(S, field, low, high) TIDE_OPTION_IS_REAL, offsetof(S, field), 0, NULL, low, high
#define TIDE_OPTION_CHOICE(S, field, choices) TIDE_OPTION_IS_CHOICE, offsetof(S, field), 0, choices, 0, 0
#define TIDE_OPTION_TEXT(S, field) TIDE_OPTION_IS_TEXT, offsetof(S, field), sizeof(((S *)0)->field), NULL, 0, 0
#define TIDE_OPTION_LIST(S, field) TIDE_OPTION_IS_LIST, offsetof(S, field), sizeof(((S *)0)->field), NULL, 0, 0
#define TIDE_OPTION_TABLE(S, array) { array, (int64_t)(sizeof array / sizeof *array), sizeof(S), 0 }

/* ---- finding ------------------------------------------------------------------------------------------- */

/* The row of a name or an alias; NULL. */
TIDE_API const tide_option *tide_option_find(const tide_option_table *t, const char *name);
/* The name nearest to `name` among the rows that have one of these flags and are shown; NULL if none is near. */
TIDE_API const char *tide_option_nearest(const tide_option_table *t, const char *name, unsigned flags);
/* The word of "a|b|c" nearest to `word`, copied to `buffer`, which it returns; NULL if none is near. */
TIDE_API const char *tide_word_nearest(const char *word, const char *list, char *buffer, size_t size);

/* ---- values ------------------------------------------------------------------------------------------- */

/* Every field as its row's `standard` says, all else zero. */
TIDE_API void tide_options_default(const tide_option_table *t, void *options);
/* Parses `text` (NULL: true, or what the bare option means) into the option of that name or alias and marks it as
 * given. TIDE_EINVAL with what would be accepted, or the nearest name; failure.column is the option. */
TIDE_API tide_status tide_option_set(const tide_option_table *t, void *options, const char *name, const char *text,
                                     tide_failure *failure);
/* The same, and the option counts as given or not as before: what a preset, advice or an earlier run says. */
TIDE_API tide_status tide_option_put(const tide_option_table *t, void *options, const char *name, const char *text,
                                     tide_failure *failure);
/* The value as text, the inverse of setting it; a list's lines. Returns `buffer`. */
TIDE_API const char *tide_option_get(const void *options, const tide_option *row, char *buffer, size_t size);
/* Was it set explicitly? */
TIDE_API bool tide_option_given(const tide_option_table *t, const void *options, const char *name);
/* Is every field within what its row accepts? For a struct that was filled by hand. TIDE_EINVAL names the first that is
 * not. */
TIDE_API tide_status tide_options_check(const tide_option_table *t, const void *options, tide_failure *failure);

/* ---- JSON --------------------------------------------------------------------------------------------- */

/* {"seq-len": 96, "use-norm": true, ...}: the rows that have one of the flags `with` and none of `without`, malloc'ed;
 * NULL when out of memory. run.json's "options" has this shape. */
TIDE_API char *tide_options_json(const tide_option_table *t, const void *options, unsigned with, unsigned without);
/* Sets what the object, or the "options" of a run.json, holds: numbers, words, true and false, lists of them; null is
 * left out. Of a run.json, an older one with other names or its settings at the top among them, options that the table
 * lacks and those with TIDE_OPTION_PLACE are left out too; elsewhere an unknown name is TIDE_EINVAL. */
TIDE_API tide_status tide_options_from_json(const tide_option_table *t, void *options, const char *json,
                                            tide_failure *failure);

/* The same for whoever decides name by name (a command line, whose flags come before a file). */
typedef struct tide_option_reader {
    /* The row that takes `name`; NULL: it is left out or, if the failure was filled, reading ends. `command` wrote the
     * run.json that it stands in ("forecast train"); NULL: a plain object of options. */
    const tide_option *(*find)(void *user, const char *name, const char *command, tide_failure *failure);
    tide_status (*set)(void *user, const tide_option *row, const char *text, tide_failure *failure);
    void *user;
} tide_option_reader;
/* TIDE_EINVAL with the line for what is no such JSON. */
TIDE_API tide_status tide_options_read(const char *json, size_t length, const tide_option_reader *reader,
                                       tide_failure *failure);

#ifdef __cplusplus
}
#endif

#endif
