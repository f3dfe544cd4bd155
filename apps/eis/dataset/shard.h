/* Shards: residual norms of a grid of circuits, one column a ground truth, in files that are mapped into memory.
 *
 *    0  8 bytes  "TIDESHRD"
 *    8  u32      version of the format: 1
 *   12  u32      bytes of the header
 *   16  u32      CRC-32 of the header (that of zlib)
 *   20  zeros up to 64
 *   64  the header, a JSON object:
 *         options         what all shards of a data set share (circuit, profile, grid, resnorm, dtype, points, ...)
 *         axes            {"Rsh": [ohm...], ..., "Cb": [farad...]}, frequencies_hz
 *         shard           number of this one, from 0
 *         rows            circuits: length of every column
 *         ground_truths   [{"id", "rsh", "ra", "rb", "ca", "cb"}]
 *         columns         [{"name", "dtype", "offset", "crc32"}] in the order of the file
 *
 * Columns follow, each from a multiple of 64 bytes on, zeros between: Rsh_index, Ra_index, Rb_index, Ca_index, Cb_index
 * (u8, into the axes, shared by all ground truths), then "resnorm ID" for each ground truth (f32 or f64). Rows are in
 * the order of Rsh, Ra, Rb, Ca, Cb, the last fastest; a symmetric grid has those with Ra Ca <= Rb Cb. The file
 * ends with the last column. Numbers are little-endian. */
#ifndef EIS_SHARD_H
#define EIS_SHARD_H

#include <jansson.h>

#include "ground_truth.h"
#include "survey.h"

#define SHARD_MAGIC "TIDESHRD"
enum { SHARD_VERSION = 1, SHARD_PREFIX = 64, SHARD_ALIGN = 64, SHARD_CRC_DIGITS = 8 };

/* The circuits of a grid in the order of the file. */
typedef struct grid_rows {
    int64_t   count;
    uint8_t  *index[EIS_COUNT];
    uint32_t *from;            /* place of each in the values of survey_values */
} grid_rows;
bool grid_rows_new(const resnorm_grid *g, bool full, grid_rows *out);  /* false: out of memory */
void grid_rows_free(grid_rows *r);

typedef struct shard_plan {
    const survey    *survey;
    const grid_rows *rows;
    const char      *options;  /* JSON text */
    bool             single;   /* f32 */
    int64_t          number, first, truths;
} shard_plan;
int64_t     shard_bytes(const shard_plan *p);  /* -1: out of memory */
tide_status shard_write(const shard_plan *p, const char *path, tide_failure *failure);

typedef struct shard {
    char           path[256];
    json_t        *header;
    int64_t        rows, truths;
    bool           single;
    ground_truth  *truth;
    const uint8_t *index[EIS_COUNT];
    const void   **resnorm;    /* [truth], of rows */
    void          *map;
    size_t         bytes;
} shard;
/* Checks all but the columns' contents: TIDE_EDATA names the file and what is wrong. Nothing is read but the header. */
tide_status shard_open(const char *path, shard *out, tide_failure *failure);
tide_status shard_check(const shard *s, tide_failure *failure);  /* the columns' checksums: reads them all */
void        shard_close(shard *s);
static inline double shard_value(const shard *s, int64_t truth, int64_t row) {
    return s->single ? (double)((const float *)s->resnorm[truth])[row] : ((const double *)s->resnorm[truth])[row];
}

#endif
