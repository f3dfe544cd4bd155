#include "gaps.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"

void gap_sides_free(gap_sides *s) {
    free(s->before);
    *s = (gap_sides){ 0 };
}

/* From one end of a column to the other; `step` is the distance of neighbours, negative from the last row on. */
static void walk(const float *at, int64_t rows, int64_t step, float *value, float *away) {
    float last = 0, rows_ago = GAP_NONE;
    for (int64_t i = 0; i < rows; i++, at += step, value += step, away += step) {
        if (!isnan(*at)) last = *at, rows_ago = 0;
        *value = last, *away = rows_ago;
        if (rows_ago < GAP_NONE) rows_ago++;
    }
}

bool gap_sides_new(const float *scaled, int64_t rows, int64_t columns, gap_sides *out) {
    size_t  cells = (size_t)(rows * columns);
    int64_t last = (rows - 1) * columns;
    float  *all = malloc(4 * cells * sizeof *all + 1);
    *out = (gap_sides){ 0 };
    if (!all) return false;
    *out = (gap_sides){ all, all + cells, all + 2 * cells, all + 3 * cells };
    for (int64_t c = 0; c < columns && rows > 0; c++) {
        walk(scaled + c, rows, columns, out->before + c, out->since + c);
        walk(scaled + last + c, rows, -columns, out->after + last + c, out->until + last + c);
    }
    return true;
}

/* Rows [from, to) of a column are gaps; those beside them, where they are in the window, are not. */
static void fill_gap(float *column, int64_t columns, int64_t from, int64_t to, int64_t rows) {
    bool  left = from > 0, right = to < rows;
    float before = left ? column[(from - 1) * columns] : 0, after = right ? column[to * columns] : before;
    if (!left) before = after;
    for (int64_t i = from; i < to; i++) {
        float share = left && right ? (float)(i - from + 1) / (float)(to - from + 1) : 0;
        column[i * columns] = before * (1 - share) + after * share;
    }
}

static void fill_column(float *column, int64_t rows, int64_t columns) {
    for (int64_t i = 0, to; i < rows; i = to + 1) {
        while (i < rows && !isnan(column[i * columns])) i++;
        for (to = i; to < rows && isnan(column[to * columns]);) to++;
        fill_gap(column, columns, i, to, rows);
    }
}

void gaps_fill(const float *scaled, int64_t rows, int64_t columns, float *filled, float *gaps) {
    int64_t cells = rows * columns;
    for (int64_t i = 0; gaps && i < cells; i++) gaps[i] = isnan(scaled[i]) ? 1.0F : 0.0F;
    if (filled != scaled) memcpy(filled, scaled, (size_t)cells * sizeof *filled);
    for (int64_t c = 0; c < columns; c++) fill_column(filled + c, rows, columns);
}

void gaps_repeat(double *values, int64_t rows, int64_t columns, int64_t season, const double *mean) {
    for (int64_t i = 0; i < rows * columns; i++) {
        if (!isnan(values[i])) continue;
        int64_t back = i - season * columns;
        if (back < 0) back = i - columns;
        values[i] = back >= 0 ? values[back] : mean[i % columns];
    }
}
