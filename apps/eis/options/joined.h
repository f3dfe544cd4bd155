/* A folder that processes which were told to `join` write into together (files/pieces.h). */
#ifndef EIS_JOINED_H
#define EIS_JOINED_H

#include "files/pieces.h"

typedef struct joined_folder {
    const char *folder;
    int         lock;    /* shared with the others */
    pieces     *pieces;
} joined_folder;

/* Makes the folder ours, keeps out who wants it alone, joins the work. Takes `words`, what all must have the same;
 * NULL: out of memory. joined_leave in any case. */
tide_status joined_enter(const char *folder, json_t *words, joined_folder *out, tide_failure *failure);
/* `over`: all is done, and what it came to is written. The last one releases the folder. */
void        joined_leave(joined_folder *j, bool over);
/* By one of them, while the others wait. */
tide_status joined_once(joined_folder *j, tide_status (*work)(void *user, tide_failure *failure), void *user,
                        tide_failure *failure);
/* Of a process alone, before it writes there: what is left of such work goes, unless somebody is at it. */
void        joined_forget(const char *folder);
/* Of the file that holds a model's numbers, in a run's folder or by itself: its SHA-256, or the path where it cannot be
 * read. NULL: out of memory. */
json_t     *joined_model(const char *model);

#endif
