/* ---- intervals: as far as validation was off, in what the window is like ---- */

static const double *bound(int level, int side, int term) {
    return bound_times + ((size_t)(level * 2 + side) * TERMS + (size_t)term) * PRED_LEN * TARGETS;
}

#if WIDTHS
/* ln(1 + y) for 0 <= y <= 1, to 1e-15 of itself: 2 artanh(z) with z = y / (2 + y) up to 1/3, by its series. */
static double log1p_of(double y) {
    const double z = y / (2 + y), z2 = z * z;
    double       sum = 0;
    for (int k = 33; k > 0; k -= 2) sum = sum * z2 + 1.0 / k;
    return 2 * z * sum;
}

static double softplus(double x) { return log1p_of(exp_of(x < 0 ? x : -x)) + (x > 0 ? x : 0); }

/* How the network spreads the truth around its forecast, in the target's units. */
static double term_of(int target, int step, int term) {
    const int    c = FIRST_TARGET + target;
    const double raw = outcome[(target * OUTPUTS + 1 + term) * PRED_LEN + step];
    return (softplus(raw) + LEAST_WIDTH) * window_deviation[c] * column_std[c];
}
static void take_spread(const double *past) { (void)past; }
#else
static double window_scale[TARGETS];

/* (s^2 + 0.01)^(3/8), s being the deviation of the target's window over that of the rows it learned from. */
static void take_spread(const double *past) {
    for (int i = 0; i < TARGETS; i++) {
        const int c = FIRST_TARGET + i;
        double    mean = 0, squares = 0;
        for (int k = 0; k < SEQ_LEN; k++) mean += past[k * COLUMNS + c] / column_std[c];
        mean /= SEQ_LEN;
        for (int k = 0; k < SEQ_LEN; k++) {
            const double apart = past[k * COLUMNS + c] / column_std[c] - mean;
            squares += apart * apart;
        }
        const double unit = column_std[c] / spread_unit[i], share = squares / SEQ_LEN * unit * unit + LEAST_SHARE;
        const double fourth = sqrt(sqrt(share));
        window_scale[i] = fourth * sqrt(fourth);
    }
}
static double term_of(int target, int step, int term) {
    (void)step, (void)term;
    return window_scale[target];
}
#endif

static int give_bounds(const double *past, const double *future, double *bounds) {
    int finite = 1;
    take_spread(past);
    for (int i = 0; i < PRED_LEN * TARGETS; i++) {
        double terms[TERMS];
        for (int term = 0; term < TERMS; term++) terms[term] = term_of(i % TARGETS, i / TARGETS, term);
        for (int side = 0; side < 2 * LEVELS; side++) {
            double sum = future[i];
            for (int term = 0; term < TERMS; term++) sum += bound(side / 2, side % 2, term)[i] * terms[term];
            finite = finite && isfinite(sum);
            bounds[i * 2 * LEVELS + side] = sum;
        }
    }
    return finite ? UPPER_DONE : UPPER_BAD_FUTURE;
}
