/* A trained spectrum predictor as a file: model.safetensors of the run folder. */
#ifndef EIS_SPECTRUM_MODEL_H
#define EIS_SPECTRUM_MODEL_H

#include <tidemill/io.h>

#include "network.h"

enum { SPECTRUM_MODEL_VERSION = 1, MODEL_LEVELS = 5 };
extern const double model_shares[MODEL_LEVELS];  /* 0.025, 0.1, 0.5, 0.9, 0.975 */
#define SPECTRUM_MODEL_KIND "eis-spectrum"

typedef struct spectrum_model {
    network_config config;
    feature_scale  scale;
    uint64_t       seed;       /* of its training spectra */
    double         keep_out;   /* share of the cells it was not trained on */
    float          level[QUANTITIES_MOST][MODEL_LEVELS];  /* of each quantity's binned distribution, below which
                                                             model_shares of the truths lie */
} spectrum_model;

void   spectrum_model_plain_levels(spectrum_model *m);  /* as the distributions say themselves */
/* The coordinate below which the truth lies with probability `share`, given the quantity's binned distribution. */
double spectrum_model_quantile(const spectrum_model *m, int quantity, const float *probability, double share);

/* What the file holds, as far as memory goes round. Parameters from `best`, or as they are if that is NULL. */
tide_status spectrum_model_archive(const spectrum_model *m, tide_list params, const tide_snapshot_t *best,
                                   tide_archive *a);
/* All but the parameters. TIDE_EDATA names what is wrong, another kind of model included; `path` is for messages. */
tide_status spectrum_model_take(const char *path, const tide_archive *a, spectrum_model *out, tide_failure *failure);

#endif
