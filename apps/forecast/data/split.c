/* Train, validation and test blocks, by the rules of the published loaders. */
#include <inttypes.h>
#include <stdio.h>

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

/* Of `rows`, how many --val or --test ask for; `usual` is the share if they do not. */
static int64_t sized(double size, double usual, int64_t rows) {
    double share = size > 0 ? size : usual;
    return (int64_t)(share < 1 ? share * (double)rows : share);
}

int64_t train_rows_sized(frame_kind kind, split_sizes sizes, int64_t rows) {
    if (sizes.val <= 0 && sizes.test <= 0) return train_rows(kind, rows);
    return rows - sized(sizes.test, 0.2, rows) - sized(sizes.val, 0.1, rows);
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

/* What would give each part a window: training needs seq_len + pred_len rows, the others pred_len each. Where that is
 * less than all, the rest goes to the parts as they usually share the rows. */
static const char *sizes_that_fit(frame_kind kind, int64_t rows, int64_t seq_len, int64_t pred_len, char out[160]) {
    int64_t pred = pred_len, spare = rows - seq_len - 3 * pred;
    char    lengths[80] = "";
    snprintf(out, 160, "give more rows or a smaller `pred-len` or `seq-len`");
    if (kind != KIND_CUSTOM || rows < 4) return out;
    if (rows - 3 * pred < 1) pred = (rows - 1) / 4 > 0 ? (rows - 1) / 4 : 1;
    if (pred != pred_len)
        snprintf(lengths, sizeof lengths, "`seq-len` %" PRId64 " `pred-len` %" PRId64 " ", rows - 3 * pred, pred);
    else if (spare < 0) snprintf(lengths, sizeof lengths, "`seq-len` %" PRId64 " ", rows - 3 * pred);
    if (spare < 0) spare = 0;
    snprintf(out, 160, "%s`val` %" PRId64 " `test` %" PRId64 " would do", lengths, pred + spare / 10, pred + spare / 5);
    return out;
}

static tide_status custom_blocks(const frame *f, split_sizes sizes, int64_t seq_len, int64_t pred_len, split *out,
                                 tide_failure *failure) {
    char fits[160];
    int64_t test = sized(sizes.test, 0.2, f->rows), val = sized(sizes.val, 0.1, f->rows), train = f->rows - val - test;
    if (train < 1)
        return forecast_fail(failure, TIDE_EINVAL, f->path, 0, sizes.val > 0 ? "val" : "test",
                             "%" PRId64 " rows for validation and %" PRId64
                             " for test leave none of all %" PRId64 " for training; %s",
                             val, test, f->rows, sizes_that_fit(KIND_CUSTOM, f->rows, seq_len, pred_len, fits));
    *out = (split){ { 0, train }, block_of(train, train + val, seq_len), block_of(train + val, f->rows, seq_len) };
    return TIDE_OK;
}

tide_status split_sized(const frame *f, frame_kind kind, split_sizes sizes, int64_t seq_len, int64_t pred_len,
                        split *out, tide_failure *failure) {
    char fits[160];
    bool chosen = sizes.val > 0 || sizes.test > 0;
    if (chosen && kind != KIND_CUSTOM)
        return forecast_fail(failure, TIDE_EINVAL, f->path, 0, sizes.val > 0 ? "val" : "test",
                             "`val` and `test` are for `kind` custom: the other kinds are split as published");
    if (f->rows < seq_len + pred_len)
        return forecast_fail(failure, TIDE_EDATA, f->path, 0, NULL,
                             "there are %" PRId64 " rows, fewer than one window of %" PRId64 ": seq_len %" PRId64
                             " and pred_len %" PRId64 "; %s",
                             f->rows, seq_len + pred_len, seq_len, pred_len,
                             sizes_that_fit(kind, f->rows, seq_len, pred_len, fits));
    if (chosen) return custom_blocks(f, sizes, seq_len, pred_len, out, failure);
    *out = blocks_of(kind, f->rows, seq_len);
    return TIDE_OK;
}

tide_status split_make(const frame *f, frame_kind kind, int64_t seq_len, int64_t pred_len, split *out,
                       tide_failure *failure) {
    return split_sized(f, kind, (split_sizes){ 0, 0 }, seq_len, pred_len, out, failure);
}

tide_status split_require(const frame *f, frame_kind kind, split s, int64_t seq_len, int64_t pred_len,
                          tide_failure *failure) {
    const block blocks[] = { s.train, s.val, s.test };
    static const char *const names[] = { "training", "validation", "test" };
    char fits[160];
    for (int i = 0; i < 3; i++) {
        if (block_windows(blocks[i], seq_len, pred_len)) continue;
        return forecast_fail(failure, TIDE_EDATA, f->path, 0, NULL,
                             "the %s part holds no window: it has %" PRId64
                             " rows (look-back included), seq_len %" PRId64 " and pred_len %" PRId64 " need %" PRId64
                             "; %s",
                             names[i], blocks[i].rows, seq_len, pred_len, seq_len + pred_len,
                             sizes_that_fit(kind, f->rows, seq_len, pred_len, fits));
    }
    return TIDE_OK;
}
