#include "ranks.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/base.h"
#include "ranks/threads.h"
#include "step_exchange.h"

enum { SAME = 160 };

tide_status train_ranks_same(ranks *r, const char *what, const char *text, tide_failure *failure) {
    char here[SAME] = "", lead[SAME];
    if (!r) return TIDE_OK;
    snprintf(here, sizeof here, "%s", text);
    memcpy(lead, here, sizeof lead);
    tide_status status = ranks_meet(r, TIDE_OK, NULL, failure);
    if (status == TIDE_OK) status = ranks_tell(r, lead, sizeof lead, failure);
    if (status == TIDE_OK && strcmp(here, lead) != 0)
        status = fail(failure, TIDE_EINVAL, "%s is %s here and %s on rank 0: all ranks must have the same", what, here,
                      lead);
    return ranks_meet(r, status, NULL, failure);
}

tide_status train_ranks_same_kind(ranks *r, const char *device, tide_failure *failure) {
    char kind[SAME];
    snprintf(kind, sizeof kind, "%.*s", (int)strcspn(device, ":"), device);
    return train_ranks_same(r, "the device", kind, failure);
}

void train_ranks_own_device(const ranks *r, char *device, size_t size) {
    if (ranks_name(r)) snprintf(device, size, "%s", ranks_name(r));
}

tide_status train_ranks_begin(ranks *r, void *options, size_t bytes, tide_failure *failure) {
    char version[64];
    snprintf(version, sizeof version, "%s (options of %zu bytes)", tide_version(), bytes);
    tide_status status = train_ranks_same(r, "the version of tidemill", version, failure);
    return status == TIDE_OK ? ranks_tell(r, options, bytes, failure) : status;
}

int64_t train_ranks_parts(const ranks *r, int64_t asked, bool open) {
    int64_t count = ranks_count(r);
    return count > 1 && (asked <= 1 || (open && asked % count)) ? count : asked;
}

tide_status train_ranks_mode(const ranks *r, tide_program_mode mode, tide_failure *failure) {
    if (!r || mode != TIDE_MODE_MAX_AUTOTUNE) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "compile-mode",
                   "`compile-mode` max-autotune goes by clocks, which differ from rank to rank: leave it out");
}

bool train_ranks_told(const train_step *s, char *line, size_t size) {
    char who[160];
    if (!s->rule.ranks) return false;
    ranks_text(s->rule.ranks, who, sizeof who);
    int at = snprintf(line, size, "%s%s a batch is %" PRId64 " parts of %" PRId64 ", %" PRId64 " of them on each rank",
                      who, ranks_name(s->rule.ranks) ? ";" : ":", s->parts, s->samples, s->here);
    if (s->exchange) snprintf(line + at, size - (size_t)at, "; sums by %s", step_exchange_library(s));
    else if (*s->by_host) snprintf(line + at, size - (size_t)at, "; sums by way of the host (%s)", s->by_host);
    return true;
}
