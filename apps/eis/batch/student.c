#include "student.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* The mass between -t and t, t = tan(angle) sqrt(freedom): finite series (Abramowitz and Stegun 26.7.3, 26.7.4). */
static double mass(double angle, int64_t freedom) {
    double c = cos(angle), term = freedom % 2 ? c : 1, sum = 0;
    for (int64_t k = freedom % 2 ? 1 : 0; k <= freedom - 2; k += 2) {
        sum += term;
        term *= c * c * (double)(k + 1) / (double)(k + 2);
    }
    return freedom % 2 ? 2 / pi * (angle + sin(angle) * sum) : sin(angle) * sum;
}

double student_quantile(int64_t freedom) {
    double low = 0, high = pi / 2;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (mass(middle, freedom) < 0.95) low = middle;
        else high = middle;
    }
    return tan(low) * sqrt((double)freedom);
}
