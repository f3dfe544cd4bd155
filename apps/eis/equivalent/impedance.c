/* Z of a circuit that is given as text. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "equivalent.h"

static const double two_pi = 6.283185307179586476925286766559;

static tide_status numbers_good(const equivalent *e, int64_t count, const double *value, int64_t n,
                                const double *freq_hz, tide_failure *failure) {
    char name[PARAMETER_NAME], list[PARAMETER_LIST];
    parameter_list(e, list);
    if (count != e->parameters)
        return fail(failure, TIDE_EINVAL, "%lld values for %d parameters: %s", (long long)count, e->parameters, list);
    for (int k = 0; k < e->parameters; k++) {
        parameter_name(e, k, name);
        bool negative = e->parameter[k].high <= 0;
        if (!(negative ? value[k] <= 0 : value[k] >= 0))
            return fail(failure, TIDE_EINVAL, "%s is %g: it is never %s 0", name, value[k],
                        negative ? "above" : "below");
    }
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(freq_hz[i]) || !(freq_hz[i] > 0))
            return fail_at(failure, TIDE_EDATA, NULL, i + 1, NULL, "point %lld: a frequency must be a positive number",
                           (long long)i + 1);
    return TIDE_OK;
}

static tide_status evaluate(const equivalent *e, const double *value, int64_t n, const double *freq_hz, eis_z *z,
                            tide_failure *failure) {
    double         *omega = malloc(2 * sizeof *omega * (size_t)(n + 1)), *log_omega = omega ? omega + n : NULL;
    double complex *at    = malloc(sizeof *at * (size_t)(n + 1));
    bool            good  = omega && at;
    for (int64_t i = 0; good && i < n; i++) omega[i] = two_pi * freq_hz[i], log_omega[i] = log(omega[i]);
    if (good) equivalent_evaluate(e, value, n, omega, log_omega, at, NULL);
    for (int64_t i = 0; good && i < n; i++) z[i] = (eis_z){ creal(at[i]), cimag(at[i]) };
    free(omega), free(at);
    return good ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for an impedance");
}

tide_status eis_circuit_impedance(const char *circuit, int64_t parameters, const double *value, int64_t n,
                                  const double *freq_hz, eis_z *z, tide_failure *failure) {
    equivalent e;
    failure_clear(failure);
    if (!circuit || !value || n < 0 || !freq_hz || !z)
        return fail(failure, TIDE_EINVAL, "there is no circuit, no values, no frequencies or no place for impedances");
    tide_status status = equivalent_parse(circuit, &e, failure);
    if (status == TIDE_OK) status = numbers_good(&e, parameters, value, n, freq_hz, failure);
    return status == TIDE_OK ? evaluate(&e, value, n, freq_hz, z, failure) : status;
}
