/* Thousands of points as a few hundred: neighbours in frequency joined, and the noise told from how they differ. */
#ifndef EIS_THIN_H
#define EIS_THIN_H

#include <tidemill/eis.h>

enum { THIN_FROM = 768, THIN_TO = 256 };  /* points: from where on they are joined, into how many */

typedef struct thinned {
    eis_spectrum spectrum;  /* its points, by falling frequency; name and area are the original's */
    double  joined;         /* points that one stands for, on the average */
    double  noise;          /* standard deviation of each part over |Z|, of the joined point */
    double  dof;            /* degrees of freedom that it stands on */
} thinned;

/* Each point is the middle of a straight line, in ln f, through its share of the points. False: out of memory. */
bool thin(const eis_spectrum *s, thinned *out);
void thinned_free(thinned *t);

#endif
