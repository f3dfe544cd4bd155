#include "windows.h"

#include "base/base.h"

/* How many of `starts` lie below `row`. */
static int64_t count_below(const int32_t *starts, int64_t count, int64_t row) {
    int64_t low = 0;
    while (low < count) {
        int64_t middle = low + (count - low) / 2;
        if (starts[middle] < row) low = middle + 1;
        else count = middle;
    }
    return low;
}

window_set window_set_of(block b, int64_t seq_len, int64_t pred_len, const int32_t *starts, int64_t count) {
    int64_t windows = block_windows(b, seq_len, pred_len);
    if (!starts) return (window_set){ .first = b.start, .count = windows };
    int64_t from = count_below(starts, count, b.start);
    return (window_set){ .count = count_below(starts, count, b.start + windows) - from, .starts = starts + from };
}

window_set window_set_first(window_set w, int64_t count) {
    w.count = MIN2(w.count, count);
    return w;
}

int64_t window_set_apart(const window_set *w) {
    int64_t apart = INT32_MAX;
    if (!w->starts || w->count < 2) return 1;
    for (int64_t i = 1; i < w->count; i++) apart = MIN2(apart, w->starts[i] - w->starts[i - 1]);
    return apart;
}

int64_t window_set_differences(const window_set *w, int64_t pred_len) {
    int64_t each = pred_len - 1, sum = each;
    if (!w->starts) return w->count + pred_len - 2;
    for (int64_t i = 1; i < w->count; i++) sum += MIN2(w->starts[i] - w->starts[i - 1], each);
    return sum;
}

block window_set_rows(const window_set *w, int64_t seq_len, int64_t pred_len) {
    int64_t first = w->count ? window_start(w, 0) : 0;
    if (!w->count) return (block){ 0, 0 };
    return (block){ first, window_start(w, w->count - 1) - first + seq_len + pred_len };
}
