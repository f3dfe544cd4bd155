/* Made-up measurements. */
#ifndef EIS_SIMULATE_H
#define EIS_SIMULATE_H

#include <tidemill/eis.h>

typedef struct simulation {
    eis_circuit circuit;
    double      p[EIS_COUNT], rs_ohm;
    double      noise;     /* standard deviation of each part over |Z| */
    int64_t     seed;
} simulation;

/* A CSV as eis_spectrum_read wants it: 61 frequencies, 100 kHz to 0.1 Hz. The same bytes for the same simulation. */
tide_status simulation_write(const simulation *s, const char *path, tide_failure *failure);

#endif
