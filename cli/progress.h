/* Progress as data (--progress json): one JSON object a line on stderr, in the place of the lines for people. Messages
 * are those of --json: names of options stand in backticks. docs/progress.md has the events and fields. (progress.c) */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli.h"

/* What is told at a time. Fields that do not apply are NULL, 0 or NaN, and left out: progress_event_new makes them
 * so. */
typedef struct progress_event {
    const char *event;    /* "begin", "progress", "note", "warning", "file", "failure", "end" */
    const char *stage, *message, *command, *version;
    int64_t     pid, epoch, epochs, batch, batches, step, done, total, spectrum, spectra;
    double      loss, val_loss, lr, grad_norm, steps_per_s, rss_mib, seconds, seconds_left;
    bool        best;
} progress_event;

progress_event progress_event_new(const char *event, const char *stage, const char *message);
/* Writes it by one call of the system, so that lines of several processes do not mix. Of "progress" at most ten a
 * second are written, later fewer, but for those of an epoch, of which none is left out. */
void progress_put(const progress_event *e);
void progress_put_failure(const tide_failure *failure);

/* Whether progress is data from now on; and the word of the command line that says so, before that is taken apart: a
 * fault in it is told as data, too. */
void progress_as_data(bool on);
bool progress_is_data(void);
bool progress_asked(int argc, char **argv);
/* First and last line. The last one says how the program ends: without it, it was killed. */
void progress_begin_line(const char *command);
void progress_end_line(int code);

#endif
