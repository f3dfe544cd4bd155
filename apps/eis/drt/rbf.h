/* A distribution of relaxation times as a sum of Gaussians over ln tau: gamma(t) = sum x_m exp(-(eps (t - t_m))^2).
 * Wan, Saccoccio, Chen and Ciucci, Electrochim. Acta 184 (2015) 483. */
#ifndef EIS_DRT_RBF_H
#define EIS_DRT_RBF_H

typedef struct rbf {
    int    count;
    double first, step;  /* t_m = first + m step, t = ln(tau / s) */
    double eps;          /* half its maximum is two steps wide */
} rbf;

/* From a decade below 1 / w_high to a decade above 1 / w_low; fewer a decade where they would be more than
 * RBF_MOST. */
enum { RBF_MOST = 400 };
rbf rbf_over(double low_hz, double high_hz, double per_decade);
/* The impedance of each function, of height 1, at w = 2 pi f: count real and imaginary parts. */
void rbf_impedance(const rbf *r, double w, double *re, double *im);
/* count x count inner products of the first or second derivatives, in closed form. */
void rbf_penalty(const rbf *r, int order, double *m);
double rbf_gamma(const rbf *r, const double *x, double t);
/* The integral of gamma from t = from to t = to, either of which may be infinite. */
double rbf_area(const rbf *r, const double *x, double from, double to);

#endif
