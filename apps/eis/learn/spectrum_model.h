/* A trained spectrum predictor as a file: model.safetensors of the run folder. */
#ifndef EIS_SPECTRUM_MODEL_H
#define EIS_SPECTRUM_MODEL_H

#include "network.h"

enum { SPECTRUM_MODEL_VERSION = 1 };
#define SPECTRUM_MODEL_KIND "eis-spectrum"

typedef struct spectrum_model {
    network_config config;
    feature_scale  scale;
    uint64_t       seed;       /* of its training spectra */
    double         keep_out;   /* share of the cells it was not trained on */
} spectrum_model;

/* Parameters from `best`, or as they are if that is NULL. */
tide_status spectrum_model_write(const char *path, const spectrum_model *m, tide_list params, const tide_snapshot_t *best, tide_failure *failure);
/* All but the parameters, which tide_load reads from the same file. TIDE_EDATA names what is wrong, another kind of model included. */
tide_status spectrum_model_read(const char *path, spectrum_model *out, tide_failure *failure);

#endif
