/* Several devices of this machine, one rank for each: rank 0 is the caller's handle, the others are handles of their
 * own in threads, which do what it does (ranks/threads.h).
 *
 *   train_devices_read("cuda:0-1", &devices, &failure);        one device: there is no team
 *   train_team_new(&devices, &work, user, &team, &failure);    the others open theirs; this thread's next ranks_join
 *                                                              joins them
 *   train_team_end(team);                                      they have; `user` is not needed any more
 *   train_team_begin(team, TRAIN_TEAM_RUN, 100);               they go on, beside the caller
 *   train_team_end(team);                                      and are waited for
 *   train_team_free(team);
 *
 * NULL is no team: every function takes that. What fails on one, all hear at their meetings. */
#ifndef TIDE_TRAIN_TEAM_H
#define TIDE_TRAIN_TEAM_H

#include "device.h"
#include "ranks/threads.h"

enum { TRAIN_DEVICES = 64 };
typedef struct train_devices { int count; char of[TRAIN_DEVICES][RANK_HOST]; } train_devices;

/* A device, or a list: "cuda:0,cuda:2", short "cuda:0,2" and "cuda:0-2"; "cpu,cpu". TIDE_EINVAL where it is no such
 * list, where devices are of several kinds, where one that has memory of its own comes twice; TIDE_EDEVICE where there
 * is none of the name. One alone is not looked for. */
tide_status train_devices_read(const char *text, train_devices *out, tide_failure *failure);
/* TIDE_EINVAL for a list where mpirun or srun started this process as one of several, and it is to join them. */
tide_status train_devices_alone(const train_devices *d, bool joins, tide_failure *failure);

typedef enum train_team_call { TRAIN_TEAM_RUN, TRAIN_TEAM_SCORE, TRAIN_TEAM_FREE } train_team_call;

typedef struct train_team_work {
    /* In the rank's thread: a handle that joins (ranks_join). *out NULL where it fails. */
    tide_status (*open)(void *user, const char *device, void **out);
    /* The last is TRAIN_TEAM_FREE. */
    void        (*call)(void *handle, train_team_call what, int64_t steps);
} train_team_work;

typedef struct train_team train_team;

tide_status train_team_new(const train_devices *d, const train_team_work *work, void *user, train_team **out,
                           tide_failure *failure);
void        train_team_begin(train_team *t, train_team_call what, int64_t steps);
void        train_team_end(train_team *t);
/* Rank 0 has left, or never joined. */
void        train_team_free(train_team *t);

#endif
