/* Measured rates on disk: one small JSON file a machine and version, with a check sum, replaced whole. */
#include "machine.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <tidemill/io.h>

#include "base/base.h"
#include "base/json.h"

enum { PATH_SIZE = 1024, IDENTITY = 768 };

/* ---- the file's name ---- */

/* The first who multiplies. */
static const tide_product_library *library(void) {
    const tide_product_library *l = tide_products("cpu");
    while (l->lacks) l++;
    return l;
}

/* All that a rate depends on. */
static const char *identity(const machine *m, char text[IDENTITY]) {
    char sets[160];
    const tide_product_library *by = library();
    int n = snprintf(text, IDENTITY, "%s|%s|%s|%d threads|%" PRId64 " bytes|%s|%s|%s %s", m->system, m->arch, m->model,
             machine_threads(m), machine_memory_bytes(m), machine_feature_names(m->features, sets), TIDE_VERSION,
             by->name, by->version ? by->version : "");
    if (!machine_on_cpu(m) && n < IDENTITY)
        snprintf(text + n, IDENTITY - (size_t)n, "|%s|%s", m->device.name, m->device.hardware);
    return text;
}

tide_status machine_rates_path(const machine *m, char path[PATH_SIZE], tide_failure *failure) {
    char text[IDENTITY], name[96];
    snprintf(name, sizeof name, "machine-%s-%016" PRIx64 ".json", TIDE_VERSION, text_hash(identity(m, text)));
    if (os_cache_path(path, PATH_SIZE, name)) return TIDE_OK;
    return fail(failure, TIDE_EIO,
                "no place to keep the measurement: XDG_CACHE_HOME and HOME are not set, or too long");
}

/* ---- its content ---- */

static const char *const rate_keys[] = {
    [MACHINE_F32] = "f32_gflops", [MACHINE_BF16] = "bf16_gflops", [MACHINE_F16] = "f16_gflops"
};

/* Numbers with all their digits, so that the check sum over the text holds after reading. */
static bool check_sum(const json_t *content, char sum[24]) {
    char    *text = json_whole(content, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    if (text) snprintf(sum, 24, "%016" PRIx64, text_hash(text));
    free(text);
    return text != NULL;
}

static json_t *content_of(const machine *m, const machine_rates *r) {
    char    text[IDENTITY];
    json_t *o = json_pack("{s:i, s:s, s:i, s:f, s:f, s:f, s:s}", "schema_version", 1, "machine", identity(m, text),
                          "threads", r->threads,
                          "bandwidth_gbs", r->bandwidth_gbs, "launch_us", r->launch_us, "took_s", r->took_s,
                          "measured_at", r->measured_at);
    for (int i = 0; i < MACHINE_PRECISIONS; i++) o = json_with(o, rate_keys[i], json_real(r->gflops[i]));
    return o;
}

/* A finite number in (0, 1e9], or 0 too if `none`. */
static bool take_rate(const json_t *o, const char *key, bool none, double *out) {
    const json_t *value = json_object_get(o, key);
    *out = json_number_value(value);
    return json_is_number(value) && isfinite(*out) && *out <= 1e9 && (*out > 0 || (none && *out == 0));
}

static bool take_content(const machine *m, const json_t *o, machine_rates *r) {
    char        text[IDENTITY];
    const char *of = json_string_value(json_object_get(o, "machine")),
               *at = json_string_value(json_object_get(o, "measured_at"));
    bool        good = of && strcmp(of, identity(m, text)) == 0 && at;
    *r = (machine_rates){ .measured = true, .threads = (int)json_integer_value(json_object_get(o, "threads")) };
    for (int i = 0; i < MACHINE_PRECISIONS; i++)
        good = take_rate(o, rate_keys[i], i != MACHINE_F32, &r->gflops[i]) && good;
    good = take_rate(o, "bandwidth_gbs", false, &r->bandwidth_gbs) && take_rate(o, "launch_us", false, &r->launch_us) &&
           good;
    good = take_rate(o, "took_s", true, &r->took_s) && good;
    if (at) snprintf(r->measured_at, sizeof r->measured_at, "%s", at);
    return good && r->threads >= 1;
}

/* The check sum is taken out of the object that it covers. */
static bool sum_holds(json_t *o) {
    char        said[24] = "", sum[24];
    const char *check = json_string_value(json_object_get(o, "check"));
    if (check) snprintf(said, sizeof said, "%s", check);
    json_object_del(o, "check");
    return check_sum(o, sum) && strcmp(said, sum) == 0;
}

tide_status machine_rates_read(const machine *m, machine_rates *out, tide_failure *failure) {
    char         path[PATH_SIZE];
    json_error_t error;
    tide_status  status = machine_rates_path(m, path, failure);
    if (status != TIDE_OK) return status;
    int folder = os_private_folder(path, false), fd = folder < 0 ? -1 : os_private_open(folder, strrchr(path, '/') + 1),
        code = errno;
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (fd >= 0 && !file) close(fd);
    if (folder >= 0) close(folder);
    if (!file)
        return fail_at(failure, TIDE_EIO, path, 0, NULL, "no measurement is kept: cannot open %s: %s", path,
                       os_private_why(code));
    json_t *o = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    fclose(file);
    bool good = json_is_object(o) && sum_holds(o) && take_content(m, o, out);
    json_decref(o);
    return good ? TIDE_OK : fail_at(failure, TIDE_EDATA, path, 0, NULL, "the kept measurement %s is damaged", path);
}

/* ---- writing ---- */

static tide_status write_text(void *user, void *stdio_file) {
    return fputs(user, stdio_file) >= 0 && putc('\n', stdio_file) != EOF ? TIDE_OK : TIDE_EIO;
}

tide_status machine_rates_write(const machine *m, const machine_rates *rates, tide_failure *failure) {
    char        path[PATH_SIZE], sum[24], *text = NULL;
    json_t     *o = content_of(m, rates);
    tide_status status = machine_rates_path(m, path, failure);
    int         folder = status == TIDE_OK ? os_private_folder(path, true) : -1;
    if (status == TIDE_OK && folder < 0)
        status = fail_at(failure, TIDE_EIO, path, 0, NULL, "the folder of %s cannot be used: %s", path,
                         os_private_why(errno));
    if (folder >= 0) close(folder);
    if (status == TIDE_OK && o && check_sum(o, sum)) {
        o    = json_with(o, "check", json_string(sum));
        text = json_whole(o, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    }
    if (text) status = tide_file_replace(path, write_text, text, failure);
    else if (status == TIDE_OK) status = fail(failure, TIDE_ENOMEM, "out of memory");
    free(text);
    json_decref(o);
    return status;
}

bool machine_rates_busy(const machine_rates *now, const machine_rates *kept) {
    static const double far_below = 0.6;
    return now->threads == kept->threads && (now->gflops[MACHINE_F32] < far_below * kept->gflops[MACHINE_F32] ||
                                             now->bandwidth_gbs < far_below * kept->bandwidth_gbs);
}

bool machine_rates_known(const machine *m, machine_rates *out) {
    if (machine_rates_read(m, out, NULL) == TIDE_OK) return true;
    *out = (machine_rates){ 0 };
    if (machine_on_cpu(m)) machine_estimate(m, out);
    return machine_on_cpu(m);
}

tide_status machine_rates_needed(const machine *m, machine_rates *out, tide_failure *failure) {
    if (machine_rates_known(m, out)) return TIDE_OK;
    tide_status status = machine_measure(m, out, failure);
    if (status == TIDE_OK) machine_rates_write(m, out, NULL);
    return status;
}
