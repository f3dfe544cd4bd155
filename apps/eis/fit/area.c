/* Values per area: what is in series grows as the area shrinks, what stores charge falls. */
#include <math.h>

#include "fitted.h"

static const struct {
    int power; /* of the area */
    const char *unit;
} of_role[] = {
    [ROLE_RESISTANCE] = { 1, "ohm cm2" },  [ROLE_INDUCTANCE] = { 1, "H cm2" },
    [ROLE_LA] = { 1, "H s^(n-1) cm2" },    [ROLE_WARBURG] = { 1, "ohm cm2 s^-1/2" },
    [ROLE_CAPACITANCE] = { -1, "F/cm2" },  [ROLE_ADMITTANCE] = { -1, "S s^n/cm2" },
    [ROLE_TIME] = { 0, NULL },             [ROLE_EXPONENT] = { 0, NULL },
    [ROLE_NUMBER] = { 0, NULL },
};

eis_per_area fit_per_area(slot_role role, double area_cm2, double value, double error) {
    int power = of_role[role].power;
    if (!(area_cm2 > 0) || power == 0) return (eis_per_area){ NAN, NAN, NULL };
    double by = power > 0 ? area_cm2 : 1 / area_cm2;
    return (eis_per_area){ value * by, error * by, of_role[role].unit };
}
