/* A batch that several processes share (files/pieces.h), of one machine or of several, in the folder `out`: a piece is
 * some spectra. Their lines lie in `.tidemill/pieces` until one process puts all into the journal; what a work that
 * ended early left there is taken by the next one, with however many processes. */
#ifndef EIS_BATCH_JOINED_H
#define EIS_BATCH_JOINED_H

#include "files/journal.h"
#include "files/pieces.h"

/* Adds what an earlier work left to a journal with this head, in a folder that this process has locked. */
tide_status batch_take_left(const char *folder, const json_t *head, journal *to, tide_failure *failure);
/* The journal in memory, and *lock on the folder, which others may share (owned_lock_shared). Who finds it free makes
 * the journal, with `anew` without its lines. */
tide_status batch_joined_open(const char *folder, const json_t *head, bool anew, journal *out, int *lock,
                              tide_failure *failure);

typedef struct batch_share {
    pieces       *pieces;
    journal      *journal;     /* in memory */
    const json_t *head;
    int64_t       items, each; /* spectra of the batch, of a piece */
    const bool   *open;        /* [items] not answered yet */
    char        (*key)[65];
    int           threads;
    tide_status (*answer)(void *user, int64_t item, int thread, json_t **line, tide_failure *failure);
    bool        (*stop)(void *user, int64_t done);  /* spectra, by all processes */
    void         *user;
} batch_share;

/* Answers what is open, with the others, and adds it all to the journal in memory. */
tide_status batch_joined_answer(const batch_share *s, tide_failure *failure);
/* What the journal's file lacks of the one in memory. By one process at a time. */
tide_status batch_joined_commit(const char *folder, const json_t *head, const journal *from, tide_failure *failure);

#endif
