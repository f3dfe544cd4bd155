/* How often what a predictor is sure of is so. */
#ifndef EIS_CALIBRATION_H
#define EIS_CALIBRATION_H

#include <jansson.h>

/* Confidences in 15 equal bins, with the mass that was really there: sums over what fell into each. */
enum { CALIBRATION_BINS = 15 };
typedef struct calibration {
    double count[CALIBRATION_BINS], confidence[CALIBRATION_BINS], mass[CALIBRATION_BINS];
} calibration;
void    calibration_add(calibration *c, double confidence, double mass);
/* Mean |mass - confidence| of the bins, weighted by how many fell into each. */
double  calibration_error(const calibration *c);
json_t *calibration_json(const calibration *c);   /* bins with something in them: confidence, mass, count */

#endif
