/* A spectrum given the shape of its arcs: what Rs, R0 and tau0 then are. Two of them are linear, and all three are
 * determined by any spectrum that shows an arc, so given the shape the posterior is close to a normal one. */
#ifndef EIS_SHAPE_FIT_H
#define EIS_SHAPE_FIT_H

#include <tidemill/eis.h>

typedef struct shape_data {
    bool rs_free;
    double rs_ohm; /* given; else the middle of its range */
    double rs_low, rs_high;
    double first_hz, last_hz;
    int64_t padded; /* points, rounded up to the kernel's lanes */
    double *omega, *re, *im, *weight; /* weight: 1 / (noise |Z|)^2, 0 in the padding */
    double size; /* sum weight |z|^2 */
} shape_data;

/* The weights are those of the model `near` at the spectrum's points. False: out of memory. */
bool shape_data_new(const eis_spectrum *s, const eis_z *near, double noise, double rs_ohm, double rs_low,
                    double rs_high, shape_data *out);
void shape_data_free(shape_data *d);

/* A normal approximation in (Rs, ln R0, ln tau0), or the last two where Rs is given. */
typedef struct shape_fit {
    double mean[3]; /* Rs, ln R0, ln tau0 */
    double precision[3][3];
    double misfit; /* chi2 at the mean */
} shape_fit;

/* From ln tau0 = out->mean[2]. False: no circuit of positive R0 is near. */
bool shape_fit_from(const shape_data *d, const double u[2], shape_fit *out);

/* The best few tau0 for a shape, no two alike; returns how many. */
enum { SHAPE_MODES = 3 };
int shape_fit_all(const shape_data *d, const double u[2], shape_fit out[SHAPE_MODES]);

#endif
