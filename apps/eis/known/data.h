/* The rows that a predictor is trained on: grid circuits, each with its residual norm against a ground truth. */
#ifndef EIS_KNOWN_DATA_H
#define EIS_KNOWN_DATA_H

#include "eis/dataset/shard.h"

/* All rows of one ground truth. */
typedef struct truth_rows {
    int64_t        count;
    const uint8_t *index[EIS_COUNT];  /* places on the axes */
    const void    *resnorm;
    bool           single;            /* f32, else f64 */
} truth_rows;

typedef struct known_data {
    eis_circuit circuit;
    int64_t     points;               /* grid values of each parameter */
    char        resnorm_kind[32];
    char        identity[200];        /* what tells these data from others */
    int64_t     truths, rows;
    truth_rows *truth;
    shard      *shards;
    int64_t     shard_count;
    void       *columns;              /* of a CSV: they are in memory */
} known_data;

/* The shards of `data_dir`, mapped into memory and checked, or else its one combined_dataset_*gt.csv. Fails with
 * TIDE_EINVAL, naming the command that makes them, where there are none; on another circuit than asked for; and, naming
 * the file, with TIDE_EDATA on damaged or missing shards. `from_csv` tells which it was. */
tide_status known_data_open(const eis_options *o, known_data *out, bool *from_csv, tide_failure *failure);
void        known_data_free(known_data *d);

static inline double truth_resnorm(const truth_rows *t, int64_t row) {
    return t->single ? (double)((const float *)t->resnorm)[row] : ((const double *)t->resnorm)[row];
}

/* ---- known_csv.c ---- */

/* Reads such a CSV. Its circuit is that of dataset_summary.txt beside it; without one it is the chain, checked as
 * dataset_csv_truths does. The rows of the ground truths themselves are left out. */
tide_status known_csv_read(const char *folder, const char *name, known_data *out, tide_failure *failure);

/* ---- pools (known_pool.c) ---- */

/* The rows of some ground truths that samples are drawn from, each as likely as the others. */
typedef struct known_pool {
    const known_data *data;
    int64_t   truths, count;  /* count: rows */
    int32_t  *truth;          /* [truths] */
    int64_t  *first;          /* [truths + 1] */
    int64_t   best;           /* rows kept of each; 0: all */
    uint32_t *kept;           /* [truth in the data][best], by rising resnorm; shared */
} known_pool;

typedef struct known_row { uint8_t index[EIS_COUNT]; double resnorm; } known_row;

/* "uniform" (0) or "best:K". */
tide_status known_pool_parse(const char *text, int64_t *best, tide_failure *failure);
/* The `best` rows of lowest residual norm of every ground truth, malloc'ed; equal ones in the order of the data. NULL:
 * out of memory. */
uint32_t *known_best_rows(const known_data *d, int64_t best);
/* Of the ground truths for which held[i] == want; held NULL: all. `kept` is borrowed. */
bool known_pool_new(const known_data *d, const bool *held, bool want, int64_t best, uint32_t *kept, known_pool *out);
void      known_pool_free(known_pool *p);
known_row known_pool_row(const known_pool *p, int64_t number);

#endif
