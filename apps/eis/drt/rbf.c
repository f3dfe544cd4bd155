#include "rbf.h"

#include <math.h>

#define PI 3.14159265358979323846264338327950288
enum { NODES_MOST = 1024 };
static const double reach = 6.5; /* exp(-reach^2) is less than rounding */

rbf rbf_over(double low_hz, double high_hz, double per_decade) {
    double decade = log(10), first = -log(2 * PI * high_hz) - decade, last = -log(2 * PI * low_hz) + decade;
    int intervals = (int)fmin(ceil((last - first) / decade * per_decade), RBF_MOST - 1);
    double step = (last - first) / intervals;
    return (rbf){ .count = intervals + 1, .first = first, .step = step, .eps = sqrt(log(2)) / step };
}

/* The trapezoidal rule on a Gaussian times a function whose next pole is pi/2 off converges exponentially: these steps
 * leave rounding alone. Both parts depend on ln(w tau) alone, so that exp(x) at the nodes serves all. */
static int quadrature(const rbf *r, double *at, double *weight) {
    double step = fmin(0.25 / r->eps, 0.2), end = reach / r->eps;
    int half = (int)fmin(ceil(end / step), (NODES_MOST - 1) / 2.0), count = 0;
    for (int k = -half; k <= half; k++, count++) {
        double x = k * step, y = r->eps * x;
        at[count] = exp(x), weight[count] = step * exp(-y * y);
    }
    return count;
}

void rbf_impedance(const rbf *r, double w, double *re, double *im) {
    double at[NODES_MOST], weight[NODES_MOST];
    int nodes = quadrature(r, at, weight);
    for (int m = 0; m < r->count; m++) {
        double a = w * exp(r->first + m * r->step);
        re[m] = im[m] = 0;
        for (int k = 0; k < nodes; k++) {
            double u = a * at[k], part = weight[k] / (1 + u * u);
            re[m] += part, im[m] -= part * u;
        }
    }
}

void rbf_penalty(const rbf *r, int order, double *m) {
    double scale = sqrt(PI / 2) * (order == 1 ? r->eps : pow(r->eps, 3));
    for (int i = 0; i < r->count; i++)
        for (int j = 0; j < r->count; j++) {
            double u = r->eps * r->step * (i - j), square = u * u;
            double shape = order == 1 ? 1 - square : square * square - 6 * square + 3;
            m[i * r->count + j] = scale * shape * exp(-square / 2);
        }
}

double rbf_gamma(const rbf *r, const double *x, double t) {
    double sum = 0;
    for (int m = 0; m < r->count; m++) {
        double y = r->eps * (t - r->first - m * r->step);
        sum += x[m] * exp(-y * y);
    }
    return sum;
}

double rbf_area(const rbf *r, const double *x, double from, double to) {
    double sum = 0;
    for (int m = 0; m < r->count; m++) {
        double middle = r->first + m * r->step;
        sum += x[m] * (erf(r->eps * (to - middle)) - erf(r->eps * (from - middle)));
    }
    return sum * sqrt(PI) / (2 * r->eps);
}
