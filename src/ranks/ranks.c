/* The handle: joining, signs of life, waiting for a round, the meeting at which failures are told. */
#include "ranks_parts.h"

#include "place.h"
#include "threads.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SPINS = 200, YIELDS = 2000, MESSAGE = 400, LAST_WORDS = 10 };
static const double BEATS = 20, NAP_S = 0.02, SHORT_NAP_S = 50e-6, LONG_NAP_S = 1e-3, LONG_WAIT_S = 1;

int ranks_rank(const ranks *r) { return r ? r->rank : 0; }
int ranks_count(const ranks *r) { return r ? r->count : 1; }
bool ranks_sound(const ranks *r) { return !r || (!r->failure.status && atomic_load(&r->lost) < 0); }
ranks_account ranks_account_of(const ranks *r) { return r ? r->account : (ranks_account){ 0 }; }

/* Of the process, whatever handles there are. */
static atomic_bool joined, lead_lost;

/* Rank 0 itself may hear that it was lost, when it was stopped and goes on: then rank 1 has told. */
tide_rank tide_rank_here(void) {
    rank_place p = rank_place_here();
    return (tide_rank){ p.rank, p.count, p.rank == (atomic_load(&lead_lost) ? 1 : 0) || !atomic_load(&joined) };
}

static const char *host_of(const ranks *r, int rank) { return r->hosts + (size_t)rank * RANK_HOST; }

/* ---- signs of life ---- */

static void nap(double seconds) {
    struct timespec t = { (time_t)seconds, (long)(1e9 * fmod(seconds, 1)) };
    nanosleep(&t, NULL);
}

/* Cut short when somebody was lost, or the ranks part. */
static void nap_while(const ranks *r, double seconds) {
    for (double end = os_seconds() + seconds; os_seconds() < end;) {
        if (atomic_load(&r->leaving) || atomic_load(&r->lost) >= 0) return;
        nap(NAP_S);
    }
}

static void note_heard(ranks *r, const bool *heard, double now) {
    for (int i = 0; i < r->count; i++)
        if (heard[i] || i == r->rank) r->heard_at[i] = now;
}

static void tell_loss(ranks *r) {
    pthread_mutex_lock(&r->loss_lock);
    if (r->on_loss && atomic_load(&r->lost) >= 0) r->on_loss(r->on_loss_user), r->on_loss = NULL;
    pthread_mutex_unlock(&r->loss_lock);
}

void ranks_on_loss(ranks *r, void (*call)(void *user), void *user) {
    pthread_mutex_lock(&r->loss_lock);
    r->on_loss = call, r->on_loss_user = user;
    pthread_mutex_unlock(&r->loss_lock);
    tell_loss(r);
}

static void lose(ranks *r, int loss) {
    int none = -1;
    bool first = atomic_compare_exchange_strong(&r->lost, &none, loss);
    if (first && loss == rank_loss(0, RANK_SILENT)) atomic_store(&lead_lost, true);
    if (first) tell_loss(r);
}

void ranks_device_failed(ranks *r) { lose(r, rank_loss(r->rank, RANK_DEVICE)); }

/* The others hear rank 0 alone: it is the one that hears them all. */
static void find_silent(ranks *r, double now) {
    int from = r->rank ? 0 : 1, to = r->rank ? 1 : r->count;
    for (int i = from; i < to; i++)
        if (now - r->heard_at[i] > r->silent_s) lose(r, rank_loss(i, RANK_SILENT));
}

/* Rank 0 knows what each has reached, and tells what all have. */
static void note_reached(ranks *r) {
    int64_t all = r->rank ? r->signs[0].reached : atomic_load(&r->reached);
    for (int i = 1; i < r->count && !r->rank; i++) all = MIN2(all, r->signs[i].reached);
    atomic_store(&r->all_reached, all);
}

/* False: no more signs can be given. */
static bool beat_once(ranks *r, bool *heard) {
    char      why[RANK_WHY] = "";
    rank_sign sign          = { atomic_load(&r->lost), atomic_load(r->rank ? &r->reached : &r->all_reached) };
    memset(heard, 0, (size_t)r->count * sizeof *heard);
    if (!r->transport->beat(r->link, &sign, heard, r->signs, why)) return false;
    for (int i = 0; i < r->count; i++)
        if (heard[i] && r->signs[i].lost >= 0 && rank_lost((int)r->signs[i].lost) < r->count)
            lose(r, (int)r->signs[i].lost);
    note_reached(r);
    return true;
}

/* A process that was itself held up (a laptop asleep, a job that was suspended) blames nobody. Whoever was lost is told
 * to the others before this one goes. */
static void *beat(void *of) {
    ranks *r      = of;
    bool  *heard  = calloc((size_t)r->count, sizeof *heard);
    double before = os_seconds();
    while (heard && !atomic_load(&r->leaving) && atomic_load(&r->lost) < 0 && beat_once(r, heard)) {
        double now = os_seconds();
        if (now - before > r->silent_s / 3) memset(heard, 1, (size_t)r->count * sizeof *heard);
        note_heard(r, heard, now);
        find_silent(r, now);
        before = now;
        nap_while(r, r->silent_s / BEATS);
    }
    for (int i = 0; heard && atomic_load(&r->lost) >= 0 && i < LAST_WORDS && beat_once(r, heard); i++) nap(NAP_S);
    free(heard);
    return NULL;
}

/* ---- waiting ---- */

static tide_status lost(ranks *r, tide_failure *failure) {
    int loss = atomic_load(&r->lost), who = rank_lost(loss);
    char how[160];
    if (rank_fate_of(loss) == RANK_SILENT)
        snprintf(how, sizeof how, "has not been heard of for %.0f seconds: it was killed, stopped or cut off",
                 r->silent_s);
    else if (rank_fate_of(loss) == RANK_FAILED)
        snprintf(how, sizeof how, "gave up: its %.20s failed", r->transport->name);
    else if (rank_fate_of(loss) == RANK_DEVICE)
        snprintf(how, sizeof how, "gave up: its device failed");
    else
        snprintf(how, sizeof how, "waits for a message that is lost, all ranks being there: was a connection cut, and "
                                  "made anew?");
    r->failure.status = TIDE_EIO;
    snprintf(r->failure.message, sizeof r->failure.message, "rank %d of %d (on %.63s) %s", who, r->count,
             host_of(r, who), how);
    return ranks_over(r, failure);
}

/* Of several reasons the first that anybody had is told: a library often fails because another rank was lost. */
tide_status ranks_broken(ranks *r, const char *why, tide_failure *failure) {
    int own = rank_loss(r->rank, RANK_FAILED);
    lose(r, own);
    if (atomic_load(&r->lost) != own) return lost(r, failure);
    snprintf(r->failure.message, sizeof r->failure.message, "rank %d of %d (on %.63s): %.20s failed: %.255s", r->rank,
             r->count, host_of(r, r->rank), r->transport->name, why);
    r->failure.status = TIDE_EIO;
    return ranks_over(r, failure);
}

tide_status ranks_over(ranks *r, tide_failure *failure) {
    if (failure && !failure->status) *failure = r->failure;
    return r->failure.status;
}

/* Spins first: most rounds are over within microseconds of each other. */
static void back_off(int tries, double waited) {
    if (tries < SPINS) return;
    if (tries < YIELDS) sched_yield();
    else nap(waited > LONG_WAIT_S ? LONG_NAP_S : SHORT_NAP_S);
}

bool ranks_begun(ranks *r, int slot, size_t bytes, bool fine) {
    r->in_slot[slot] = ++r->begun, r->bytes[slot] = bytes;
    return fine;
}

typedef struct patience { double since, looked; } patience;  /* first seen, 0: not yet; last looked at */

/* Where all wait for a round, or are through with it, its end is a matter of the network alone: of a second for each
 * megabyte at the worst. Time in which this process was held up is not counted: the others may have been, too. */
static bool stuck(const ranks *r, int slot, patience *p) {
    static const double SLOWEST_BYTES_S = 1e6;
    double              now             = os_seconds();
    bool                late            = now - p->looked > r->silent_s / 3;
    bool                all             = atomic_load(&r->all_reached) >= r->in_slot[slot];
    p->looked = now;
    if (!all || late || p->since == 0) p->since = all ? now : 0;
    return all && now - p->since > r->silent_s + (double)r->bytes[slot] * r->count / SLOWEST_BYTES_S;
}

tide_status ranks_wait(ranks *r, int slot, tide_failure *failure) {
    double   began = os_seconds();
    patience p     = { 0, began };
    if (r->in_slot[slot] > atomic_load(&r->reached)) atomic_store(&r->reached, r->in_slot[slot]);
    for (int tries = 0;; tries++) {
        char why[RANK_WHY] = "";
        bool done          = false;
        if (!r->transport->test(r->link, slot, &done, why)) return ranks_broken(r, why, failure);
        if (done) break;
        if (tries > YIELDS && stuck(r, slot, &p)) lose(r, rank_loss(r->rank, RANK_STUCK));
        if (atomic_load(&r->lost) >= 0) return lost(r, failure);
        back_off(tries, tries > YIELDS ? os_seconds() - began : 0);
    }
    r->account.waited_s += os_seconds() - began;
    return TIDE_OK;
}

/* ---- rounds ---- */

tide_status ranks_gather(ranks *r, const void *mine, size_t bytes, void *all, tide_failure *failure) {
    char why[RANK_WHY] = "";
    if (!r) return memcpy(all, mine, bytes), TIDE_OK;
    if (r->failure.status) return ranks_over(r, failure);
    if (!ranks_begun(r, 0, bytes, r->transport->all_gather(r->link, 0, mine, all, bytes, why)))
        return ranks_broken(r, why, failure);
    return ranks_wait(r, 0, failure);
}

tide_status ranks_tell(ranks *r, void *data, size_t bytes, tide_failure *failure) {
    tide_status status = r && r->failure.status ? ranks_over(r, failure) : TIDE_OK;
    for (size_t at = 0; r && status == TIDE_OK && at < bytes; at += RANK_MOST_BYTES) {
        char   why[RANK_WHY] = "";
        size_t now           = MIN2(bytes - at, RANK_MOST_BYTES);
        if (!ranks_begun(r, 0, now, r->transport->tell(r->link, 0, (char *)data + at, now, why)))
            return ranks_broken(r, why, failure);
        status = ranks_wait(r, 0, failure);
    }
    return status;
}

/* ---- meeting ---- */

/* Where statuses are all the same, what happened on each is the same, and this rank's own words are right. */
static tide_status share_failure(ranks *r, const rank_header *all, tide_status mine, tide_failure *failure) {
    char  message[MESSAGE] = "";
    char *texts            = malloc((size_t)r->count * MESSAGE);
    int   first            = 0;
    bool  same             = true;
    if (mine && failure) snprintf(message, sizeof message, "%.*s", MESSAGE - 1, failure->message);
    for (int i = r->count - 1; i >= 0; i--) {
        same &= all[i].status == (int32_t)mine;
        if (all[i].status) first = i;
    }
    tide_status status = texts ? ranks_gather(r, message, MESSAGE, texts, failure)
                               : ranks_broken(r, "out of memory", failure);
    if (texts && status == TIDE_OK) {
        const char *text = texts + (size_t)first * MESSAGE;
        r->failure       = (tide_failure){ .status = (tide_status)all[first].status };
        if (same) snprintf(r->failure.message, sizeof r->failure.message, "%.*s", MESSAGE - 1, text);
        else
            snprintf(r->failure.message, sizeof r->failure.message, "rank %d of %d (on %.63s): %.*s", first, r->count,
                     host_of(r, first), MESSAGE - 1, text);
        if (failure && !same && first != r->rank) *failure = r->failure;
        status = r->failure.status;
    }
    free(texts);
    return status;
}

/* A rank that parts while the others go on is a fault of the program: they must not wait for it. */
static tide_status left_behind(ranks *r, const rank_header *all, tide_failure *failure) {
    int who = 0;
    while (!all[who].leaving) who++;
    snprintf(r->failure.message, sizeof r->failure.message, "rank %d of %d (on %.63s) left before the work was done",
             who, r->count, host_of(r, who));
    r->failure.status = TIDE_EIO;
    return ranks_over(r, failure);
}

/* Ranks that are not at the same place would take each other's numbers for something else. */
static tide_status came_apart(ranks *r, int who, tide_failure *failure) {
    snprintf(r->failure.message, sizeof r->failure.message,
             "rank %d of %d (on %.63s) is not where rank 0 is in the work (%" PRId64 ", not %" PRId64 ")", who,
             r->count, host_of(r, who), r->headers[who].place, r->headers[0].place);
    r->failure.status = TIDE_EIO;
    return ranks_over(r, failure);
}

/* A round that fails is not told before this rank's own reason. */
static tide_status exchange_headers(ranks *r, const rank_header *now, tide_failure *failure) {
    tide_failure why    = { 0 };
    tide_status  status = ranks_gather(r, now, sizeof *now, r->headers, &why);
    if (status == TIDE_OK || now->status) return status;
    if (failure && !failure->status) *failure = why;
    return status;
}

static tide_status meet(ranks *r, const rank_header *now, tide_failure *failure) {
    tide_status mine = (tide_status)now->status, status = exchange_headers(r, now, failure);
    int         leaving = 0, failed = 0, apart = 0;
    if (status != TIDE_OK) return mine ? mine : status;
    r->account.meetings++;
    for (int i = 0; i < r->count; i++) {
        leaving += r->headers[i].leaving, failed += r->headers[i].status != TIDE_OK;
        if (!apart && r->headers[i].place != r->headers[0].place) apart = i;
    }
    if (failed) return share_failure(r, r->headers, mine, failure);
    if (leaving && leaving < r->count) return left_behind(r, r->headers, failure);
    return apart ? came_apart(r, apart, failure) : TIDE_OK;
}

tide_status ranks_meet(ranks *r, tide_status mine, rank_word *word, tide_failure *failure) {
    if (!r) return mine;
    if (r->failure.status) return mine ? mine : ranks_over(r, failure);
    rank_header now = { .status = (int32_t)mine };
    if (word) now.stop = word->stop, now.clock = word->clock, now.place = word->place;
    tide_status status = meet(r, &now, failure);
    if (!word || r->failure.status) return status;
    word->stop = false, word->clock = r->headers[0].clock;
    for (int i = 0; i < r->count; i++) word->stop |= r->headers[i].stop;
    return status;
}

/* ---- joining ---- */

static tide_status no_memory(tide_failure *failure) { return fail(failure, TIDE_ENOMEM, "out of memory for ranks"); }

static tide_status make_room(ranks *r, tide_failure *failure) {
    size_t count = (size_t)r->count;
    r->headers   = malloc(count * sizeof *r->headers);
    r->hosts     = calloc(count, RANK_HOST);
    r->heard_at  = malloc(count * sizeof *r->heard_at);
    r->signs     = calloc(count, sizeof *r->signs);
    if (!r->headers || !r->hosts || !r->heard_at || !r->signs) return no_memory(failure);
    for (int i = 0; i < r->count; i++) r->heard_at[i] = os_seconds();
    return TIDE_OK;
}

static tide_status start_beats(ranks *r, tide_failure *failure) {
    if (!r->transport->beat) return TIDE_OK;
    r->beats = pthread_create(&r->beater, NULL, beat, r) == 0;
    return r->beats ? TIDE_OK : no_memory(failure);
}

/* Where somebody was lost, rank 0 tells it, or rank 1 a little later where it is rank 0. The others stay until then:
 * what started them ends all when one does, and a library may, of one that it cannot reach. */
static void wait_for_words(const ranks *r) {
    int lost = atomic_load(&r->lost), speaker = lost == rank_loss(0, RANK_SILENT);
    if (lost >= 0 && r->rank != speaker) nap(r->silent_s * (speaker ? 0.6 : 0.25));
}

static void free_ranks(ranks *r, bool orderly) {
    atomic_store(&r->leaving, true);
    if (r->beats) pthread_join(r->beater, NULL);
    if (r->link) r->transport->close(r->link, orderly && atomic_load(&r->lost) < 0);
    free(r->headers);
    free(r->hosts);
    free(r->heard_at);
    free(r->signs);
    pthread_mutex_destroy(&r->loss_lock);
    ranks_release(r);
    free(r);
}

tide_status ranks_join_by(const rank_transport *t, ranks **out, tide_failure *failure) {
    char   host[RANK_HOST] = "", why[RANK_WHY] = "";
    ranks *r = *out = calloc(1, sizeof *r);
    if (!r) return no_memory(failure);
    r->transport = t;
    r->silent_s  = t->silent_s > 0 ? t->silent_s : RANKS_SILENT_S;
    pthread_mutex_init(&r->loss_lock, NULL);
    atomic_init(&r->lost, -1);
    atomic_init(&r->leaving, false);
    atomic_init(&r->reached, 0);
    atomic_init(&r->all_reached, 0);
    tide_status status = TIDE_OK;
    if (!t->open(&r->link, &r->rank, &r->count, host, why))
        status = fail(failure, TIDE_EDEVICE, "%s did not start: %s", t->name, why);
    if (status == TIDE_OK) status = make_room(r, failure);
    if (status == TIDE_OK) status = ranks_gather(r, host, RANK_HOST, r->hosts, failure);
    if (status == TIDE_OK) status = start_beats(r, failure);
    if (status == TIDE_OK && r->count > 1) return atomic_store(&joined, true), TIDE_OK;
    free_ranks(r, status == TIDE_OK);
    *out = NULL;
    return status;
}

/* What still goes on at another is waited for, so that nobody is missed. */
void ranks_leave(ranks *r) {
    if (!r) return;
    if (!r->failure.status) meet(r, &(rank_header){ .leaving = true }, NULL);
    wait_for_words(r);
    free_ranks(r, true);
}

static int count_hosts(const ranks *r) {
    int hosts = 0;
    for (int i = 0; i < r->count; i++) {
        int j = 0;
        while (j < i && strcmp(host_of(r, i), host_of(r, j)) != 0) j++;
        hosts += j == i;
    }
    return hosts;
}

void ranks_text(const ranks *r, char *line, size_t size) {
    if (!r) {
        snprintf(line, size, "one process");
        return;
    }
    if (ranks_name(r)) {
        int at = snprintf(line, size, "%d ranks:", r->count);
        for (int i = 0; i < r->count && at < (int)size; i++)
            at += snprintf(line + at, size - (size_t)at, "%s %s", i ? "," : "", host_of(r, i));
        return;
    }
    int hosts = count_hosts(r);
    snprintf(line, size, "%d ranks on %d host%s by %s", r->count, hosts, hosts == 1 ? "" : "s", r->transport->name);
}
