/* A trained model as its exports see it: what it is, and its parameters by what they do. */
#ifndef FORECAST_EXPORTED_H
#define FORECAST_EXPORTED_H

#include <tidemill/forecast.h>
#include <tidemill/io.h>

#include "forecast/options/levels.h"
#include "forecast/saved/bundle.h"

typedef struct exported {
    bundle       bundle;
    tide_archive archive;     /* of the model file; the parameters under their published names */
    char         sha256[65];  /* of the model file */
    levels       levels;      /* of the intervals that are asked for; the caller sets it */
} exported;

/* A model file, or its bytes. TIDE_EINVAL for a model with a parameter that exports do not know: leaving it out would
 * change every forecast. Free with exported_free, in any case. */
tide_status exported_read(const char *path, exported *out, tide_failure *failure);
tide_status exported_take(const void *bytes, size_t size, exported *out, tide_failure *failure);
void        exported_free(exported *e);

/* The parts of the network: each has NAME.weight and NAME.bias. `label` is what exports call it. */
typedef struct network_part { const char *name, *label; } network_part;
enum { NETWORK_OUTER = 3, NETWORK_OF_BLOCK = 8 };
extern const network_part network_outer[NETWORK_OUTER];        /* embedding, norm, projector */
extern const network_part network_of_block[NETWORK_OF_BLOCK];  /* "encoder.attn_layers.I." before their names */

enum { NETWORK_NAME = 100 };
/* The published name of a parameter: `block` -1 outside the blocks, `end` "weight" or "bias". Returns `name`. */
const char *network_name(int64_t block, const network_part *part, const char *end, char name[NETWORK_NAME]);
/* What the archive holds under it: f32, out or (out, in) or (out, in, 1). */
const tide_tensor *network_tensor(const exported *e, int64_t block, const network_part *part, const char *end);

/* out and in of a weight; in is 0 for that of a norm. */
void network_sizes(const tide_tensor *weight, int64_t *out, int64_t *in);
/* What the series' attributes add to their tokens, (columns, d_model), malloc'ed; NULL when out of memory. */
float *network_attributes(const exported *e);
/* The weight as (in, out), malloc'ed; NULL when out of memory. */
float *network_transposed(const tide_tensor *weight);

/* What the formats write. `path` ends as they want it, which format_path checks. */
typedef tide_status (*export_writer)(const exported *e, const char *path, tide_failure *failure);
tide_status export_c(const exported *e, const char *path, tide_failure *failure);
tide_status export_onnx(const exported *e, const char *path, tide_failure *failure);
tide_status export_pth(const exported *e, const char *path, tide_failure *failure);

/* c_source.c: "out/etth1.h" of "out/etth1.c", malloc'ed; NULL when out of memory. */
char *export_c_header(const char *path);

#endif
