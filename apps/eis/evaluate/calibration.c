#include "calibration.h"

#include <math.h>

#include "base/base.h"

void calibration_add(calibration *c, double confidence, double mass) {
    int bin = MIN2((int)(confidence * CALIBRATION_BINS), CALIBRATION_BINS - 1);
    c->count[bin]++;
    c->confidence[bin] += confidence;
    c->mass[bin] += mass;
}

double calibration_error(const calibration *c) {
    double apart = 0, count = 0;
    for (int i = 0; i < CALIBRATION_BINS; i++) {
        apart += fabs(c->mass[i] - c->confidence[i]);
        count += c->count[i];
    }
    return count > 0 ? apart / count : 0;
}

json_t *calibration_json(const calibration *c) {
    json_t *list = json_array();
    for (int i = 0; i < CALIBRATION_BINS; i++) {
        if (!(c->count[i] > 0)) continue;
        double n = c->count[i];
        json_array_append_new(list, json_pack("{s:f, s:f, s:I}", "confidence", c->confidence[i] / n, "mass",
                                              c->mass[i] / n, "count", (json_int_t)n));
    }
    return list;
}
