/* A batch as a device gets it: the rows of spectra as they are in the pool, and for each question which parameters are
 * missing; what the network is fed (spectra.h) is worked out there. Recipe grid: what is known lies on the grid. */
#ifndef EIS_VISITS_H
#define EIS_VISITS_H

#include "spectra.h"
#include "train/step.h"

/* As a batch has them. */
typedef struct spectrum_inputs { tide_val features, known, label, weight; } spectrum_inputs;

typedef struct visits {
    int64_t  spectra;
    float   *raw;      /* (spectra, width) features, unscaled */
    float   *place;    /* (spectra, EIS_COUNT) grid coordinates */
    int32_t *label;    /* (spectra, 1, EIS_COUNT) bins */
    uint8_t *missing;  /* (spectra, masks, EIS_COUNT) 1: missing */
} visits;

bool visits_new(int64_t spectra, visits *out);  /* false: out of memory */
void visits_free(visits *v);
/* As batch_fill. */
void visits_fill(const float *const *row, uint64_t seed, sample_split split, uint64_t first_visit, int threads,
                 visits *v);

/* The inputs of a step, and what they become: within rounding what batch_fill makes of the same visits. */
typedef struct visit_inputs { tide_val raw, place, label, missing, mean, over_sd; } visit_inputs;
visit_inputs    visit_inputs_new(tide_graph *g, int64_t spectra);
spectrum_inputs visit_values(const visit_inputs *in);

enum { VISIT_FEEDS = 6 };
void visit_feeds(const visit_inputs *in, const visits *v, const feature_scale *scale, train_feed feeds[VISIT_FEEDS]);

#endif
