/* What the data side of the forecaster shares: failures with a place, growing notes, numbers in the C locale, near
 * names. */
#ifndef FORECAST_UTIL_H
#define FORECAST_UTIL_H

#include <locale.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include <tidemill/core.h>

/* Fills `f` (may be NULL) if it holds no failure yet, and returns `status`. file and column may be NULL, row 0. */
tide_status forecast_fail(tide_failure *f, tide_status status, const char *file, int64_t row, const char *column,
                          const char *format, ...) TIDE_PRINTF(6, 7);

/* Appends to *notes, malloc memory or NULL. false: out of memory, *notes is as before. */
bool notes_add(char **notes, const char *format, ...) TIDE_PRINTF(2, 3);

/* The name among `names` (NULL entries are skipped) that `word` most likely meant, or NULL if none is near. */
const char *near_name(const char *word, char *const *names, int64_t count);

/* Where the name is among `names` (NULL entries are skipped); -1: it is not. */
int64_t names_find(char *const *names, int64_t count, const char *name);

/* "a, b, c" of the names (NULL entries are skipped), cut with the full count when it would not fit. */
void names_list(char *buffer, size_t bytes, char *const *names, int64_t count);

/* Plain decimal numbers with point or comma, whatever locale the host set. */
typedef struct number_reader {
    locale_t locale;
    char     decimal;   /* '.' or ',' */
    char     thousands; /* 0, or what groups the digits before the decimal sign by three */
} number_reader;
bool number_reader_open(number_reader *r, char decimal);  /* false: out of memory */
void number_reader_close(number_reader *r);
/* The whole text, surrounding blanks aside, as a finite number, correctly rounded. false: it is none. */
bool number_parse(const number_reader *r, const char *text, double *value);
/* Is the text digits grouped by `thousands`: one to three, the first no 0, then three behind each? *groups: how often
 * it stands there; *fraction: the decimal sign follows. */
bool number_is_grouped(const char *text, char thousands, char decimal, int *groups, bool *fraction);
/* Empty, nan, na, n/a, null or none in any case, surrounding blanks aside. */
bool number_is_missing(const char *text);

#endif
