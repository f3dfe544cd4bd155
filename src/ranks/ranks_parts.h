/* What the parts of ranks show each other. */
#ifndef TIDE_RANKS_PARTS_H
#define TIDE_RANKS_PARTS_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/base.h"
#include "ranks.h"

/* Of a meeting. leaving: this rank's last. */
typedef struct rank_header { int32_t status; bool stop, leaving; double clock; int64_t place; } rank_header;

/* Which rank was lost, and how: nothing is heard of it, its library failed, a round in which all wait does not end
 * there (a message to it, or from it, was lost), or its device failed. One number, that of signs of life. */
typedef enum rank_fate { RANK_SILENT, RANK_FAILED, RANK_STUCK, RANK_DEVICE, RANK_FATES } rank_fate;
static inline int       rank_loss(int rank, rank_fate fate) { return RANK_FATES * rank + (int)fate; }
static inline int       rank_lost(int loss) { return loss / RANK_FATES; }
static inline rank_fate rank_fate_of(int loss) { return (rank_fate)(loss % RANK_FATES); }

struct ranks {
    const rank_transport *transport;
    rank_link            *link;
    int                   rank, count;
    rank_header          *headers;    /* of each rank, at the last meeting */
    char                 *hosts;      /* RANK_HOST of each */
    double                silent_s;
    double               *heard_at;   /* the beating thread's; os_seconds() of each */
    rank_sign            *signs;      /* ... and what it said last */
    int64_t               begun, in_slot[RANK_ROUNDS];  /* rounds of this rank, from 1 */
    size_t                bytes[RANK_ROUNDS];
    atomic_llong          reached;    /* the latest round that this rank has waited for */
    atomic_llong          all_reached;   /* ... that all have, as far as it is known here */
    pthread_t             beater;
    bool                  beats;
    atomic_bool           leaving;
    atomic_int            lost;       /* a rank_loss; -1: none */
    pthread_mutex_t       loss_lock;  /* of on_loss */
    void                (*on_loss)(void *user);  /* NULL: none, or it was called */
    void                 *on_loss_user;
    tide_failure          failure;    /* what ended it, for every later call */
    int64_t               here, numbers, stride;  /* what was reserved: parts, floats of each, from one to the next */
    float                *parts;          /* this rank's */
    float                *room;           /* stretches that were received; NULL where memory is shared */
    float                *shared;         /* the parts of all ranks, then their sum; NULL: it is not */
    ranks_account         account;
};

/* Rounds are begun, and waited for, by these alone. */
bool        ranks_begun(ranks *r, int slot, size_t bytes, bool fine);
tide_status ranks_wait(ranks *r, int slot, tide_failure *failure);
tide_status ranks_broken(ranks *r, const char *why, tide_failure *failure);
void        ranks_release(ranks *r);  /* what was reserved */
tide_status ranks_over(ranks *r, tide_failure *failure);

#endif
