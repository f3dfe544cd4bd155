/* ---- arithmetic ----
 * Every sum has one order, that of its terms, whatever a compiler makes of the loops. No number goes from double to
 * float and back to double: gcc 12 leaves out the rounding between the two where it makes vectors of them. */

/* y[j] += sum over k below 8 of x[k] w[k][j], for n lanes side by side; the rows of w are `stride` apart. */
static void add_eight(float *restrict y, int n, const float *x, const float *restrict w, size_t stride) {
    const float *w1 = w + stride, *w2 = w1 + stride, *w3 = w2 + stride;
    const float *w4 = w3 + stride, *w5 = w4 + stride, *w6 = w5 + stride, *w7 = w6 + stride;
    const float  x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4], x5 = x[5], x6 = x[6], x7 = x[7];
    for (int j = 0; j < n; j++)
        y[j] = y[j] + x0 * w[j] + x1 * w1[j] + x2 * w2[j] + x3 * w3[j] + x4 * w4[j] + x5 * w5[j] + x6 * w6[j] +
               x7 * w7[j];
}

static void add_one(float *restrict y, int n, float x, const float *restrict w) {
    for (int j = 0; j < n; j++) y[j] += x * w[j];
}

/* y (n) += x (terms) times w (terms, n). */
static void add_product(float *restrict y, int n, const float *x, int terms, const float *restrict w, size_t stride) {
    int k = 0;
    for (; k + 8 <= terms; k += 8) add_eight(y, n, x + k, w + (size_t)k * stride, stride);
    for (; k < terms; k++) add_one(y, n, x[k], w + (size_t)k * stride);
}

/* y (rows, out) = x (rows, in) times weight (in, out), plus bias. Eight rows of the weight serve all rows of x while
 * they are in the nearest cache. */
static void linear(const float *x, int rows, int in, int out, const float *weight, const float *bias, float *y) {
    const size_t stride = (size_t)out;
    for (int i = 0; i < rows; i++) memcpy(y + (size_t)i * stride, bias, stride * sizeof *y);
    for (int k = 0; k < in; k += 8)
        for (int i = 0; i < rows; i++)
            add_product(y + (size_t)i * stride, out, x + (size_t)i * (size_t)in + k, in - k < 8 ? in - k : 8,
                        weight + (size_t)k * stride, stride);
}

/* exp(x) for x <= 0, to 2e-15 of itself: 2^k times the series of what is left, within half of ln 2. */
static double exp_of(double x) {
    union { double value; uint64_t bits; } power;
    if (!(x > -700)) return 0;
    const int    k = (int)(x * 1.4426950408889634 - 0.5);
    const double r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    double       sum = 1.0 / 479001600;
    sum = sum * r + 1.0 / 39916800, sum = sum * r + 1.0 / 3628800, sum = sum * r + 1.0 / 362880;
    sum = sum * r + 1.0 / 40320, sum = sum * r + 1.0 / 5040, sum = sum * r + 1.0 / 720, sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24, sum = sum * r + 1.0 / 6, sum = sum * r + 0.5, sum = sum * r + 1, sum = sum * r + 1;
    power.bits = (uint64_t)(1023 + k) << 52;
    return sum * power.value;
}

#if RELU
static float activation(float x) { return x > 0 ? x : 0; }
#else
/* exp(z z) erfc(z) for 0 <= z <= 6.5, to 1e-13 of itself: a polynomial in t = (z - 3.75) / (z + 3.75), fitted by least
 * squares at 400 Chebyshev nodes. */
static const double scaled_erfc[15] = {
    0.1455897212750456, -0.27342193149546057, 0.22600806691359782, -0.16357189552082443,
    0.1026043122713223, -0.05480232647330678, 0.024143217347086993, -0.008220638117506463,
    0.0018030229228671916, -2.5232054418591735e-05, -0.00015227059750295592, 4.6596591604017944e-05,
    -1.7207915442763177e-07, -1.085264995792325e-05, -2.177773119309134e-06,
};

/* x Phi(x), with Phi(x) = erfc(-x / sqrt 2) / 2. */
static float activation(float x) {
    const double size = x < 0 ? -(double)x : (double)x;
    const double z = size * 0.70710678118654752440, t = (z - 3.75) / (z + 3.75);
    double       sum = scaled_erfc[14];
    if (z > 6.5) return x < 0 ? 0 : x;
    for (int i = 13; i >= 0; i--) sum = sum * t + scaled_erfc[i];
    sum *= 0.5 * exp_of(-z * z);
    return (float)(x * (x < 0 ? sum : 1 - sum));
}
#endif

/* y = normalised (x + more), row by row; more NULL: x alone. */
static void layer_norm(const float *x, const float *more, int rows, const float *weight, const float *bias, float *y) {
    for (int i = 0; i < rows; i++) {
        double mean = 0, variance = 0;
        for (int j = 0; j < D_MODEL; j++) {
            const size_t at = (size_t)i * D_MODEL + (size_t)j;
            y[at] = more ? x[at] + more[at] : x[at];
            mean += y[at];
        }
        mean /= D_MODEL;
        float *row = y + (size_t)i * D_MODEL;
        for (int j = 0; j < D_MODEL; j++) variance += (row[j] - mean) * (row[j] - mean);
        const double scale = 1 / sqrt(variance / D_MODEL + NORM_EPS);
        for (int j = 0; j < D_MODEL; j++) row[j] = (float)((row[j] - mean) * scale) * weight[j] + bias[j];
    }
}

/* ---- the network: each column's window is a token, attention runs over tokens ---- */

static float  series[TOKENS * SEQ_LEN], token[TOKENS * D_MODEL], update[TOKENS * D_MODEL];
static float  query[TOKENS * INNER], key_rows[TOKENS * INNER], key[INNER * TOKENS], value[TOKENS * INNER];
static float  attended[TOKENS * INNER], hidden[TOKENS * D_FF], score[TOKENS], outcome[TARGETS * OUTPUTS * PRED_LEN];
static double power[TOKENS], window[SEQ_LEN], window_mean[COLUMNS], window_deviation[COLUMNS];

static void softmax(void) {
    float  most = score[0];
    double sum = 0;
    for (int j = 1; j < TOKENS; j++) most = score[j] > most ? score[j] : most;
    for (int j = 0; j < TOKENS; j++) power[j] = exp_of((double)score[j] - most);
    for (int j = 0; j < TOKENS; j++) sum += power[j];
    for (int j = 0; j < TOKENS; j++) score[j] = (float)(power[j] / sum);
}

/* `rows` queries on all tokens, head by head. */
static void attention(int rows) {
    const float scale = (float)(1 / sqrt((double)HEAD_SIZE));
    memset(attended, 0, (size_t)rows * INNER * sizeof *attended);
    for (int i = 0; i < rows * INNER; i++) query[i] *= scale;
    for (int j = 0; j < TOKENS; j++)
        for (int e = 0; e < INNER; e++) key[e * TOKENS + j] = key_rows[j * INNER + e];
    for (int i = 0; i < rows; i++)
        for (int e = 0; e < INNER; e += HEAD_SIZE) {
            memset(score, 0, sizeof score);
            add_product(score, TOKENS, query + i * INNER + e, HEAD_SIZE, key + e * TOKENS, TOKENS);
            softmax();
            add_product(attended + i * INNER + e, HEAD_SIZE, score, TOKENS, value + e, INNER);
        }
}

/* The tokens from `first` on, `rows` of them, are replaced by what the block makes of them. */
static void encode(const struct block *b, int first, int rows) {
    float *own = token + (size_t)first * D_MODEL;
    linear(own, rows, D_MODEL, INNER, b->query_weight, b->query_bias, query);
    linear(token, TOKENS, D_MODEL, INNER, b->key_weight, b->key_bias, key_rows);
    linear(token, TOKENS, D_MODEL, INNER, b->value_weight, b->value_bias, value);
    attention(rows);
    linear(attended, rows, INNER, D_MODEL, b->mix_weight, b->mix_bias, update);
    layer_norm(own, update, rows, b->norm1_weight, b->norm1_bias, own);
    linear(own, rows, D_MODEL, D_FF, b->widen_weight, b->widen_bias, hidden);
    for (int i = 0; i < rows * D_FF; i++) hidden[i] = activation(hidden[i]);
    linear(hidden, rows, D_FF, D_MODEL, b->narrow_weight, b->narrow_bias, update);
    layer_norm(own, update, rows, b->norm2_weight, b->norm2_bias, own);
}

/* ---- from and to original units ---- */

/* Scaled as in training; each window then by its own mean and deviation. false: a number is not finite. */
static int take_past(const double *past) {
    for (int i = 0; i < SEQ_LEN * COLUMNS; i++)
        if (!isfinite(past[i])) return 0;
    for (int c = 0; c < COLUMNS; c++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < SEQ_LEN; i++) window[i] = (past[i * COLUMNS + c] - column_mean[c]) / column_std[c];
        for (int i = 0; i < SEQ_LEN; i++) sum += window[i];
        window_mean[c] = USE_NORM ? sum / SEQ_LEN : 0;
        for (int i = 0; i < SEQ_LEN; i++) window[i] -= window_mean[c];
        for (int i = 0; i < SEQ_LEN; i++) squares += window[i] * window[i];
        window_deviation[c] = USE_NORM ? sqrt(squares / SEQ_LEN + NORM_EPS) : 1;
        for (int i = 0; i < SEQ_LEN; i++) series[c * SEQ_LEN + i] = (float)(window[i] / window_deviation[c]);
    }
    return 1;
}

static int give_future(double *future) {
    int finite = 1;
    for (int step = 0; step < PRED_LEN; step++)
        for (int i = 0; i < TARGETS; i++) {
            const int    c = FIRST_TARGET + i;
            const double scaled = outcome[i * OUTPUTS * PRED_LEN + step] * window_deviation[c] + window_mean[c];
            const double result = scaled * column_std[c] + column_mean[c];
            finite = finite && isfinite(result);
            future[step * TARGETS + i] = result;
        }
    return finite;
}

static int forecast(double *future) {
    linear(series, TOKENS, SEQ_LEN, D_MODEL, embedding_weight, embedding_bias, token);
#if ATTRIBUTES
    for (int i = 0; i < COLUMNS * D_MODEL; i++) token[i] += attributes[i];
#endif
    for (int i = 0; i < E_LAYERS - 1; i++) encode(&blocks[i], 0, TOKENS);
    encode(&blocks[E_LAYERS - 1], FIRST_TARGET, TARGETS); /* what comes after it needs no other token */
    const float *rows = token + (size_t)FIRST_TARGET * D_MODEL;
    layer_norm(rows, NULL, TARGETS, norm_weight, norm_bias, update);
    linear(update, TARGETS, D_MODEL, OUTPUTS * PRED_LEN, projector_weight, projector_bias, outcome);
    return give_future(future) ? UPPER_DONE : UPPER_BAD_FUTURE;
}
