/* What the library's own folders need of options beyond <tidemill/options.h>: run.json and its older spellings. */
#ifndef TIDE_OPTIONS_OPTIONS_H
#define TIDE_OPTIONS_OPTIONS_H

#include <jansson.h>
#include <tidemill/options.h>

/* As tide_options_json, an object; NULL when out of memory. */
json_t *options_object(const tide_option_table *t, const void *options, unsigned with, unsigned without);
/* An object of options that an earlier version may have written, as it would be written now: new names, switches that
 * have become choices as such, the words of today for their synonyms, and the default of each option that it lacks,
 * as it came later; what the table does not know stays. A new object; NULL when out of memory. */
json_t *options_updated(const tide_option_table *t, const json_t *was);

/* The settings of a run.json: its "options", or the whole of one whose settings stand at the top, as spectrum
 * predictors' did. Borrowed; NULL: it has none. */
const json_t *run_options(const json_t *run);

/* Where in the options' struct the row's field lies. */
static inline void *option_field(const void *options, const tide_option *row) { return (char *)options + row->offset; }
/* Parses the text (NULL: bare) into the row's field. */
tide_status option_put(void *options, const tide_option *row, const char *text, tide_failure *failure);
/* The standard again in every row that says where and over what a run is written (TIDE_OPTION_PLACE). */
void options_leave_places(const tide_option_table *t, void *options);
/* The text with every synonym in it (of a list with commas: of each of its words) as the word that it means. Returns
 * its length; only if that is below `size` is it in `buffer`. `buffer` may be `text` where no word is longer. */
size_t option_plain(const tide_option *row, const char *text, char *buffer, size_t size);
/* How many words "a|b|c" has, and the i-th of them; its length is the return value, 0: none. */
int option_words(const char *list);
int option_word(const char *list, int i, const char **word);

#endif
