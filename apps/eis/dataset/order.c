#include "order.h"

void order_find(const uint64_t *histogram, order_pick *picks, int count) {
    for (int k = 0; k < count; k++) {
        int64_t before = 0, bin = 0;
        while (bin < ORDER_BINS - 1 && before + (int64_t)histogram[bin] <= picks[k].rank)
            before += (int64_t)histogram[bin++];
        picks[k].bin    = bin;
        picks[k].before = before;
    }
}
