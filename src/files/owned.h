/* Which files in a folder are ours: the law that no command deletes, cuts or writes over what it did not make.
 *
 * A folder that a command puts files of fixed names into gets a folder `.tidemill`, made by us alone, and in it
 *   files a line for each name that is ours in the folder that `.tidemill` is in, synced before the file is made,
 *   dropped with it
 *   outputs      what a command wrote elsewhere at the user's wish: "SHA256 PATH"
 *   lock         held by the command that writes the run
 *   pieces       work that several processes share, while there is some (pieces.h)
 *   t-PID-N      what is being written where the system cannot hide it; swept by the next command that has the lock
 * A file that is not listed is somebody else's, whatever it is called; what a user puts under a listed name, in the
 * place of a file of ours, cannot be told from it. Runs of 0.1.0 have no such folder: their run.json says
 * whose they are, and the names that its command used are then listed. */
#ifndef TIDE_FILES_OWNED_H
#define TIDE_FILES_OWNED_H

#include "folders.h"

#define OWNED_FOLDER ".tidemill"

/* Could `folder`, which exists, have files of these names (ends with NULL) from us? To be asked before the work begins.
 * TIDE_EINVAL: one of them is there and not listed, or is a link or a folder. Changes nothing. */
tide_status owned_check(const char *folder, const char *const *names, tide_failure *failure);
/* The same, and lists the names as ours; all of them or none. To be called just before the files are written: a name
 * that is listed and has no file yet would take the next file of that name for ours. TIDE_EINVAL too when `.tidemill`
 * is there and not of this program. */
tide_status owned_claim(const char *folder, const char *const *names, tide_failure *failure);
/* Claims NAME.svg and NAME.csv; `path` (of FOLDER_PATH) receives the plot's, in any case. */
tide_status owned_claim_plot(const char *folder, const char *name, char *path, tide_failure *failure);
/* Claims one name; `path` (of FOLDER_PATH) receives the file's, in any case. */
tide_status owned_claim_file(const char *folder, const char *name, char *path, tide_failure *failure);
/* Lists a name whose file the caller has recognised as ours by what is in it. */
tide_status owned_adopt(const char *folder, const char *name, tide_failure *failure);
/* TIDE_EINVAL if `input` (through links) is a listed file of `folder`: what a command writes there cannot be what it
 * reads. */
tide_status owned_refuse_input(const char *folder, const char *input, tide_failure *failure);
bool        owned_lists(const char *folder, const char *name);  /* or it is a file of a run of 0.1.0 */
bool        owned_holds_run(const char *folder);  /* a run.json of ours, or of 0.1.0, is in it */
/* Takes from the list every name that has no file, at the end of a command: what comes there later is somebody
 * else's. */
void        owned_release(const char *folder);
/* Takes away those files of these names that are listed, and releases the folder. */
void        owned_clear(const char *folder, const char *const *names);
/* Takes away a folder that is ours as a whole, a run's for example: the files that are listed, `.tidemill`, and the
 * folder if nothing else is left in it. Nothing while another process has the lock. TIDE_ENOMEM: nothing either. */
tide_status owned_remove(const char *folder, tide_failure *failure);
/* For one writer of a run at a time. The folder has been claimed before. The lock's file descriptor; -1 with the
 * failure set: TIDE_EINVAL while another process has it. */
int         owned_lock(const char *folder, tide_failure *failure);
void        owned_unlock(const char *folder, int lock);
/* The same for several that write together (pieces.h), of whom the last one that leaves sweeps and releases. Who wants
 * the folder alone is kept out, and keeps them out: they wait a second for one that is just leaving. */
int         owned_lock_shared(const char *folder, tide_failure *failure);
void        owned_unlock_shared(const char *folder, int lock);
/* What a command that was killed was writing, taken away; owned_lock has done it. For who holds another lock on the
 * folder. */
void        owned_sweep(const char *folder);

/* May the file `path`, given by the option (failure.column), be written? Never if it is, through whatever links, one of
 * `inputs` (ends with NULL; "" is skipped, "-" is standard input), a file that `path`'s folder lists, there or not yet,
 * or one in a folder `.tidemill`; nor if it is a link that leads nowhere. If something else is there: with `overwrite`,
 * or if `folder` (NULL: none) remembers that these very bytes were written there by us. Pipes and devices always.
 * TIDE_EINVAL. */
tide_status output_check(const char *path, const char *option, bool overwrite, const char *folder,
                         const char *const *inputs,
                         tide_failure *failure);
/* Remembers in `folder`, if that is one of ours and can be written, that we wrote `path` as it now is. */
void        output_remember(const char *folder, const char *path);

#endif
