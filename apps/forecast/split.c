/* Train, validation and test blocks, by the rules of the published loaders. */
#include <inttypes.h>

#include "frame.h"
#include "util.h"

enum { MONTH_ROWS = 30 * 24 };  /* a "month" of an hourly ETT file */

int64_t train_rows(frame_kind kind, int64_t rows) {
    switch (kind) {
    case KIND_ETTH: return 12 * MONTH_ROWS;
    case KIND_ETTM: return 12 * MONTH_ROWS * 4;
    case KIND_PEMS: return (int64_t)(0.6 * (double)rows);
    case KIND_CUSTOM:
    case KIND_SOLAR: break;
    }
    return (int64_t)(0.7 * (double)rows);
}

/* Rows [from, to), starting up to `early` rows before. */
static block block_of(int64_t from, int64_t to, int64_t early) {
    int64_t start = from > early ? from - early : 0;
    return (block){ start, to - start };
}

static split blocks_of(frame_kind kind, int64_t rows, int64_t early) {
    int64_t train = train_rows(kind, rows);
    int64_t val_end = 0, test = 0;
    switch (kind) {
    case KIND_ETTH:
    case KIND_ETTM:
        val_end = test = train + train / 3;
        break;
    case KIND_PEMS:
        val_end = test = (int64_t)((0.6 + 0.2) * (double)rows);
        early = 0;
        break;
    case KIND_SOLAR:
        val_end = train + (int64_t)(0.1 * (double)rows);
        test = rows - (int64_t)(0.2 * (double)rows);
        break;
    case KIND_CUSTOM:
        val_end = test = rows - (int64_t)(0.2 * (double)rows);
        break;
    }
    return (split){ { 0, train }, block_of(train, val_end, early), block_of(test, rows, early) };
}

int64_t block_windows(block b, int64_t seq_len, int64_t pred_len) {
    int64_t windows = b.rows - seq_len - pred_len + 1;
    return windows > 0 ? windows : 0;
}

tide_status split_make(const frame *f, frame_kind kind, int64_t seq_len, int64_t pred_len, split *out, tide_failure *failure) {
    if (f->rows < seq_len + pred_len)
        return forecast_fail(failure, TIDE_EDATA, f->path, 0, NULL,
                             "the file has %" PRId64 " rows, fewer than one window of %" PRId64 ": seq_len %" PRId64
                             " and pred_len %" PRId64,
                             f->rows, seq_len + pred_len, seq_len, pred_len);
    *out = blocks_of(kind, f->rows, seq_len);
    return TIDE_OK;
}

tide_status split_require(const frame *f, split s, int64_t seq_len, int64_t pred_len, tide_failure *failure) {
    const block blocks[] = { s.train, s.val, s.test };
    static const char *const names[] = { "training", "validation", "test" };
    for (int i = 0; i < 3; i++) {
        if (block_windows(blocks[i], seq_len, pred_len)) continue;
        return forecast_fail(failure, TIDE_EDATA, f->path, 0, NULL,
                             "the %s part holds no window: it has %" PRId64 " rows (look-back included), seq_len %" PRId64
                             " and pred_len %" PRId64 " need %" PRId64 "; give more rows or a smaller --pred-len or --seq-len",
                             names[i], blocks[i].rows, seq_len, pred_len, seq_len + pred_len);
    }
    return TIDE_OK;
}
