/* Work that only divides: numbered pieces that several processes, of one machine or of several, take from one list on
 * storage that all of them see. None of them is in charge, and they need not know of each other.
 *
 * A folder that is ours (owned.h) gets `.tidemill/pieces` while such work is in it, and in that
 *   options  what the work is: JSON, an object of words. Who comes with others is refused
 *   lock     a byte each piece: locked by who makes it, and 1 once it is made. The system takes the locks of who dies
 *   NAME-I   results of pieces, until they are put together; whole, or not there
 * What is finished is known by its result. The bytes of `lock` spare those who are at work at the same time looking for
 * it, and are forgotten when nobody is at work. So a process that is killed loses the pieces that it had in hand, and a
 * later one goes on. The same piece may be made twice (storage may show a file late): it has the same bytes. */
#ifndef TIDE_FILES_PIECES_H
#define TIDE_FILES_PIECES_H

#include <jansson.h>
#include <tidemill/options.h>

#include "folders.h"

typedef struct pieces pieces;

/* The options of a command that all who share its work need the same, as words: this program's version, the rows that
 * have the flag `command`, but for places and parts of the machine, and the device, which makes bits. NULL: out of
 * memory. */
json_t *pieces_options(const tide_option_table *t, const void *options, unsigned command);

/* Joins the work in `folder`, which has been claimed, or begins it. `options`: what all must have the same, an object
 * of words. TIDE_EINVAL where the work there has others, named in failure.column; with `anew` it is dropped, unless
 * somebody is at it. TIDE_EIO: the disk has no locks. */
tide_status pieces_join(const char *folder, const json_t *options, bool anew, pieces **out, tide_failure *failure);
/* Is nobody else at it, and was nobody when this process joined? Then what a killed process left may be swept. */
bool pieces_alone(const pieces *p);
/* Frees it. `over`: all is done and all results are put together; the last that leaves takes `.tidemill/pieces`
 * away. NULL is fine. */
void pieces_leave(pieces *p, bool over);
/* Takes away what is left of such work in a folder that this process has locked (owned_lock). */
void pieces_clear(const char *folder);

/* Some pieces, numbered from 0. `make` leaves what the work needs of piece i where all find it, or fails; by any
 * thread. */
typedef struct pieces_task {
    int64_t     count;
    int         threads;
    bool        (*is_made)(void *user, int64_t i);  /* by an earlier process; by any thread. NULL: none are */
    tide_status (*make)(void *user, int64_t i, int thread, tide_failure *failure);
    bool        (*stop)(void *user, int64_t done);  /* asked now and then, by the thread that called. NULL: never */
    void       *user;
} pieces_task;

/* Returns when every piece is made, by whomever. All processes of the work call it for the same tasks, in the same
 * order. *made (NULL is fine) receives how many this one made. TIDE_ECANCELLED after `stop`; a failure says of
 * which process it is, where this is one of mpirun's or srun's. */
tide_status pieces_do(pieces *p, const pieces_task *t, int64_t *made, tide_failure *failure);

/* ---- results ---- */

enum { PIECES_NAME = 16 };  /* bytes of a result's name, with its end */

bool        pieces_has(const pieces *p, const char *name, int64_t i);
tide_status pieces_put(const pieces *p, const char *name, int64_t i, const void *data, size_t bytes,
                       tide_failure *failure);
/* Of a piece that is made, malloc'ed. Waits a minute for storage that shows it late; then TIDE_EIO. */
tide_status pieces_get(const pieces *p, const char *name, int64_t i, void **data, size_t *bytes,
                       tide_failure *failure);
/* What work that ended early left in a folder that this process has locked (owned_lock): each result of that name, by
 * number. A failure of `take` ends it. */
typedef tide_status (*pieces_taker)(void *user, const void *data, size_t bytes, tide_failure *failure);
tide_status pieces_left(const char *folder, const char *name, pieces_taker take, void *user, tide_failure *failure);
/* The path of the result, for who writes or reads it by itself. */
const char *pieces_path(const pieces *p, const char *name, int64_t i, char path[FOLDER_PATH]);

#endif
