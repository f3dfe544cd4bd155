/* Windows of a series: of seq_len input rows and the pred_len rows after them, by the first input row. */
#ifndef FORECAST_WINDOWS_H
#define FORECAST_WINDOWS_H

#include "frame.h"

/* Some of them in ascending order: every one from `first` on or, where only some rows are forecast from, those in
 * `starts`, which is borrowed. */
typedef struct window_set {
    int64_t        first, count;
    const int32_t *starts;  /* (count); NULL: first, first + 1, ... */
} window_set;

static inline int64_t window_start(const window_set *w, int64_t i) { return w->starts ? w->starts[i] : w->first + i; }

/* All windows of a block of rows; those of it that are among `starts` (count, ascending), if that is not NULL. */
window_set window_set_of(block b, int64_t seq_len, int64_t pred_len, const int32_t *starts, int64_t count);
/* The first so many of them. */
window_set window_set_first(window_set w, int64_t count);

/* The fewest rows from one to the next. */
int64_t window_set_apart(const window_set *w);
/* So many windows at most begin within `rows` rows. */
static inline int64_t window_reach(int64_t rows, int64_t apart) { return (rows + apart - 1) / apart; }
/* Differences between rows that are forecast one after the other, each counted once though horizons overlap. */
int64_t window_set_differences(const window_set *w, int64_t pred_len);
/* The rows from the first input to the last forecast. */
block   window_set_rows(const window_set *w, int64_t seq_len, int64_t pred_len);

#endif
