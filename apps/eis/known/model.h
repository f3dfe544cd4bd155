/* A predictor from known values alone, loaded: what the missing parameters are, given the known ones.
 *
 * It answers each missing parameter for itself: the network gives a distribution over the grid values of every
 * parameter, and nothing about how they go together. A joint probability is the product of these, so it is only right
 * as far as the missing parameters are independent given the known ones. */
#ifndef EIS_KNOWN_MODEL_H
#define EIS_KNOWN_MODEL_H

#include <tidemill/io.h>

#include "network.h"

enum { KNOWN_POINTS_MOST = 40 };

/* What a run's model.safetensors says besides the parameters. The MLX guide's weights files say nothing: circuit_given
 * is false, `scale` is empty, and predicted residual norms are NaN. */
typedef struct known_card {
    bool        circuit_given;
    eis_circuit circuit;
    known_scale scale;            /* sd 0: not known */
    char        resnorm_kind[32]; /* "mean-abs" */
    char        pool[24], masks[8];
} known_card;

typedef struct known_model {
    known_card    card;
    char          device[32];     /* where it answers */
    struct parameters *held;      /* what it learned; clones hold it too */
    tide_graph   *graph;
    known_network network;        /* its sizes.points: grid values of each parameter (eis_grid_value) */
    tide_program *program;
    tide_val      x, p, resnorm;
} known_model;

/* `path` is a run folder, its model.safetensors, the MLX guide's .npz, or the .pth of its PyTorch version (with or
 * without its layer norms); sizes follow from the shapes. TIDE_EINVAL when it is a predictor of another kind,
 * TIDE_EDATA when damaged. Compiled once, for one question at a time on one thread of `device`
 * (NULL: "cpu"); TIDE_EDEVICE if there is no such device. */
tide_status known_model_load(const char *path, const char *device, known_model *out, tide_failure *failure);
/* The same from an archive of a model.safetensors that is read already; `path` is for messages. */
tide_status known_model_take(const char *path, const tide_archive *a, const char *device, known_model *out,
                             tide_failure *failure);
/* Another one, of the same parameters, for another thread. Any thread may call it, as known_model_write_memory. */
tide_status known_model_clone(const known_model *of, known_model *out, tide_failure *failure);
/* The bytes of its model.safetensors: free(*bytes). TIDE_EINVAL for the MLX guide's files, which do not say what such a
 * file does. */
tide_status known_model_write_memory(const known_model *m, void **bytes, size_t *size, tide_failure *failure);
void        known_model_free(known_model *m);
/* Whether `path` is one of those, as far as its name and metadata tell; false if it cannot be read. */
bool        known_model_is(const char *path);

typedef struct known_answer {
    double p[EIS_COUNT][KNOWN_POINTS_MOST];  /* of each grid value; rows of known parameters are zeros */
    double resnorm;                          /* predicted; NaN if the file does not say its scale */
} known_answer;
tide_status known_model_predict(known_model *m, const eis_known *known, known_answer *out, tide_failure *failure);

typedef struct known_candidate { int index[EIS_COUNT]; double probability; } known_candidate;  /* index -1: known */
/* The `top` most probable combinations of the missing parameters, falling; equal ones in the order of their indices.
 * Returns how many there are: fewer if there are no more, 0 if nothing is missing. out has room for `top` (at most
 * 1000). */
int64_t known_model_top(const known_model *m, const eis_known *known, const known_answer *answer, int64_t top,
                        known_candidate *out);

/* ---- writing (known_file.c) ---- */

/* The parameters as they are in `best` (NULL: now). What a model.safetensors holds, as far as memory goes round; and
 * the guide's file. */
tide_status known_model_archive(const known_sizes *sizes, const known_card *card, tide_list params,
                                const tide_snapshot_t *best, tide_archive *a);
tide_status known_npz_write(const char *path, const known_network *n, const tide_snapshot_t *best,
                            tide_failure *failure);

#endif
