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

/* Which rank was lost, and whether it said so itself: one number, that of the news in signs of life. */
static inline int  rank_loss(int rank, bool gave_up) { return 2 * rank + gave_up; }
static inline int  rank_lost(int loss) { return loss / 2; }
static inline bool rank_gave_up(int loss) { return loss % 2 != 0; }

struct ranks {
    const rank_transport *transport;
    rank_link            *link;
    int                   rank, count;
    rank_header          *headers;    /* of each rank, at the last meeting */
    char                 *hosts;      /* RANK_HOST of each */
    double               *heard_at;   /* the beating thread's; os_seconds() of each */
    pthread_t             beater;
    bool                  beats;
    atomic_bool           leaving;
    atomic_int            lost;       /* a rank_loss; -1: none */
    tide_failure          failure;    /* what ended it, for every later call */
    float                *parts, *room;   /* this rank's, and received stretches; NULL before the first sum */
    size_t                parts_bytes, room_bytes;
    ranks_account         account;
};

tide_status ranks_wait(ranks *r, int slot, tide_failure *failure);
tide_status ranks_broken(ranks *r, const char *why, tide_failure *failure);
tide_status ranks_over(ranks *r, tide_failure *failure);

#endif
