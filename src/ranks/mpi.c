/* The plug-in for MPI: a library of its own, built where MPI is, opened by join.c when mpirun or srun started the
 * process. Rounds are non-blocking collectives, so that whoever waits can give up. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport.h"

enum { BEAT_TAG = 1 };
static const double CLOSING_S = 5;

/* Signs of life to and from one rank. */
typedef struct pulse { MPI_Request out, in; rank_sign said, heard; } pulse;

struct rank_link {
    int         rank, count;
    MPI_Comm    rounds, beats;          /* of our own: a program's messages are not ours */
    MPI_Request under_way[RANK_ROUNDS];
    pulse      *pulses;                 /* rank 0 has one for each; the others one, of rank 0 */
    MPI_Comm    host;                   /* all, where they are on one host; else MPI_COMM_NULL */
    MPI_Win     shared;
};

static bool disorderly;  /* ranks lost each other: who ended MPI would wait for them for ever */

static bool fine(int code, char why[RANK_WHY]) {
    char text[MPI_MAX_ERROR_STRING] = "";
    int  length                     = 0;
    if (code == MPI_SUCCESS) return true;
    MPI_Error_string(code, text, &length);
    snprintf(why, RANK_WHY, "%.*s", RANK_WHY - 1, text);
    return false;
}

/* At the end of the process: it can be begun once only. */
static void end_mpi(void) {
    if (!disorderly) MPI_Finalize();
}

static bool begin(char why[RANK_WHY]) {
    int begun = 0, ended = 0, level = 0;
    MPI_Finalized(&ended);
    if (ended) return snprintf(why, RANK_WHY, "MPI was ended by this process"), false;
    MPI_Initialized(&begun);
    if (begun) return true;
    if (!fine(MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &level), why)) return false;
    return atexit(end_mpi) == 0;
}

static bool open_pulses(rank_link *l, char why[RANK_WHY]) {
    int count = l->rank ? 1 : l->count;
    l->pulses = calloc((size_t)count, sizeof *l->pulses);
    if (!l->pulses) return snprintf(why, RANK_WHY, "out of memory"), false;
    for (int i = 0; i < count; i++) l->pulses[i] = (pulse){ .out = MPI_REQUEST_NULL, .in = MPI_REQUEST_NULL };
    return true;
}

/* ---- memory of one host ---- */

/* Which ranks share memory with this one; of use where it is all. */
static bool open_host(rank_link *l, char why[RANK_WHY]) {
    int here = 0;
    if (!fine(MPI_Comm_split_type(l->rounds, MPI_COMM_TYPE_SHARED, l->rank, MPI_INFO_NULL, &l->host), why) ||
        !fine(MPI_Comm_size(l->host, &here), why))
        return false;
    if (here == l->count) return fine(MPI_Comm_set_errhandler(l->host, MPI_ERRORS_RETURN), why);
    return fine(MPI_Comm_free(&l->host), why);
}

static void free_shared(rank_link *l) {
    if (l->shared != MPI_WIN_NULL) MPI_Win_free(&l->shared);
    l->shared = MPI_WIN_NULL;
}

/* Rank 0 has it all. Where one cannot have it none has. */
static void *share(rank_link *l, size_t bytes) {
    void    *own = NULL, *all = NULL;
    MPI_Aint size = 0;
    int      unit = 0;
    if (l->host == MPI_COMM_NULL) return NULL;
    free_shared(l);
    int got = MPI_Win_allocate_shared(l->rank ? 0 : (MPI_Aint)bytes, 1, MPI_INFO_NULL, l->host, &own, &l->shared) ==
              MPI_SUCCESS, everywhere = 0;
    if (got) got = MPI_Win_shared_query(l->shared, 0, &size, &unit, &all) == MPI_SUCCESS && size >= (MPI_Aint)bytes;
    if (MPI_Allreduce(&got, &everywhere, 1, MPI_INT, MPI_LAND, l->host) != MPI_SUCCESS) return NULL;
    return everywhere ? all : NULL;
}

/* ---- the link ---- */

static bool open_link(rank_link **out, int *rank, int *count, char host[RANK_HOST], char why[RANK_WHY]) {
    char name[MPI_MAX_PROCESSOR_NAME] = "";
    int  length                       = 0;
    rank_link *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l) return snprintf(why, RANK_WHY, "out of memory"), false;
    for (int i = 0; i < RANK_ROUNDS; i++) l->under_way[i] = MPI_REQUEST_NULL;
    l->host = MPI_COMM_NULL, l->shared = MPI_WIN_NULL;
    bool done = begin(why) && fine(MPI_Comm_dup(MPI_COMM_WORLD, &l->rounds), why) &&
                fine(MPI_Comm_dup(MPI_COMM_WORLD, &l->beats), why) &&
                fine(MPI_Comm_set_errhandler(l->rounds, MPI_ERRORS_RETURN), why) &&
                fine(MPI_Comm_set_errhandler(l->beats, MPI_ERRORS_RETURN), why) &&
                fine(MPI_Comm_rank(l->rounds, &l->rank), why) && fine(MPI_Comm_size(l->rounds, &l->count), why) &&
                fine(MPI_Get_processor_name(name, &length), why) && open_host(l, why) && open_pulses(l, why);
    if (!done) return free(l), false;
    snprintf(host, RANK_HOST, "%.*s", RANK_HOST - 1, name);
    *rank = l->rank, *count = l->count, *out = l;
    return true;
}

/* ---- rounds ---- */

static bool all_to_all(rank_link *l, int slot, const void *send, void *receive, size_t bytes, char why[RANK_WHY]) {
    return fine(MPI_Ialltoall(send, (int)bytes, MPI_BYTE, receive, (int)bytes, MPI_BYTE, l->rounds,
                              &l->under_way[slot]), why);
}

static bool all_gather(rank_link *l, int slot, const void *send, void *receive, size_t bytes, char why[RANK_WHY]) {
    bool in_place = send == (const char *)receive + (size_t)l->rank * bytes;
    return fine(MPI_Iallgather(in_place ? MPI_IN_PLACE : send, (int)bytes, MPI_BYTE, receive, (int)bytes, MPI_BYTE,
                               l->rounds, &l->under_way[slot]), why);
}

static bool tell(rank_link *l, int slot, void *data, size_t bytes, char why[RANK_WHY]) {
    return fine(MPI_Ibcast(data, (int)bytes, MPI_BYTE, 0, l->rounds, &l->under_way[slot]), why);
}

static bool test(rank_link *l, int slot, bool *done, char why[RANK_WHY]) {
    int  flag = 0;
    bool good = fine(MPI_Test(&l->under_way[slot], &flag, MPI_STATUS_IGNORE), why);
    *done = flag != 0;
    return good;
}

/* ---- signs of life ---- */

/* The next is sent when the one before has left; everything that has come is taken in. */
static bool beat_with(rank_link *l, int peer, pulse *p, const rank_sign *sign, bool *heard, rank_sign *its,
                      char why[RANK_WHY]) {
    enum { BYTES = sizeof(rank_sign) };
    int gone = 0, come = 1;
    if (!fine(MPI_Test(&p->out, &gone, MPI_STATUS_IGNORE), why)) return false;
    if (gone) {
        p->said = *sign;
        if (!fine(MPI_Isend(&p->said, BYTES, MPI_BYTE, peer, BEAT_TAG, l->beats, &p->out), why)) return false;
    }
    while (come) {
        bool waiting = p->in != MPI_REQUEST_NULL;
        if (waiting && !fine(MPI_Test(&p->in, &come, MPI_STATUS_IGNORE), why)) return false;
        if (waiting && come) {
            *heard = true;
            *its   = p->heard;
        }
        if (come && !fine(MPI_Irecv(&p->heard, BYTES, MPI_BYTE, peer, BEAT_TAG, l->beats, &p->in), why)) return false;
    }
    return true;
}

static bool beat(rank_link *l, const rank_sign *sign, bool *heard, rank_sign *signs, char why[RANK_WHY]) {
    int level = 0;
    MPI_Query_thread(&level);
    if (level < MPI_THREAD_MULTIPLE)
        return snprintf(why, RANK_WHY, "this MPI has no thread-safe calls (MPI_THREAD_MULTIPLE)"), false;
    if (l->rank) return beat_with(l, 0, l->pulses, sign, &heard[0], &signs[0], why);
    bool good = true;
    for (int i = 1; good && i < l->count; i++)
        good = beat_with(l, i, &l->pulses[i], sign, &heard[i], &signs[i], why);
    return good;
}

/* What was posted for signs of life that nobody sends any more is given back. */
static void end_pulses(rank_link *l) {
    for (int i = l->rank ? 0 : 1; i < (l->rank ? 1 : l->count); i++) {
        pulse *p = &l->pulses[i];
        if (p->in != MPI_REQUEST_NULL) MPI_Cancel(&p->in), MPI_Wait(&p->in, MPI_STATUS_IGNORE);
        if (p->out != MPI_REQUEST_NULL) MPI_Wait(&p->out, MPI_STATUS_IGNORE);
    }
}

/* All are here within the time that a silent rank is given; what they did before has been met about. */
static bool all_here(rank_link *l) {
    MPI_Request round = MPI_REQUEST_NULL;
    int         done  = 0;
    double      until = MPI_Wtime() + CLOSING_S;
    if (MPI_Ibarrier(l->rounds, &round) != MPI_SUCCESS) return false;
    while (!done && MPI_Wtime() < until && MPI_Test(&round, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS) usleep(100);
    return done != 0;
}

static void close_link(rank_link *l, bool orderly) {
    if (!l) return;
    if (orderly && all_here(l)) {
        end_pulses(l);
        free_shared(l);
        if (l->host != MPI_COMM_NULL) MPI_Comm_free(&l->host);
        MPI_Comm_free(&l->beats);
        MPI_Comm_free(&l->rounds);
        free(l->pulses);
        free(l);
    } else disorderly = true; /* what is under way may still arrive in it: it stays */
}

__attribute__((visibility("default")))
const rank_transport tide_rank_transport = { .version = RANK_TRANSPORT_VERSION, .name = "MPI", .open = open_link,
                                             .all_to_all = all_to_all, .all_gather = all_gather, .tell = tell,
                                             .test = test, .share = share, .beat = beat, .close = close_link };
