/* The impedance application's files, past their containers; TARGET names one, a libFuzzer program each:
 *   truths_json, truths_csv, truths_npz   ground truths -> the circuits
 *   shard a header (text up to a zero byte; its sums are made right) and columns -> a data set that can be trained on
 *   manifest    manifest.json -> a generator that goes on beside it
 *   model       "key=value" lines of metadata, "@array index value" lines of numbers -> an answer by that predictor
 *   spectrum    a CSV -> an exact and a refined answer, whose numbers must be finite
 *   read        any file of spectra -> such as can be used, or a reason, under several options; and to CSV and back
 * `fuzz_eis_TARGET -runs=1 seed` needs no corpus: each target makes sense of any bytes. */
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tidemill/eis.h>
#include <tidemill/io.h>
#include <unistd.h>
#include <zlib.h>

#include "base/base.h"
#include "eis/dataset/app_npz.h"
#include "eis/dataset/generate.h"
#include "eis/known/data.h"
#include "eis/predictor/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64];

static void clear(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0) perror(folder);
}

static const char *path_of(const char *name) {
    static char path[128];
    if (!*folder) {
        snprintf(folder, sizeof folder, "%s/fuzz_eis_XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        if (!mkdtemp(folder)) abort();
        atexit(clear);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const void *data, size_t size) {
    FILE *file = fopen(path_of(name), "wb");
    if (!file || fwrite(data, 1, size, file) != size) abort();
    fclose(file);
}

/* A failure says what. */
static void expect_told(tide_status status, const tide_failure *failure) {
    if (status != TIDE_OK && (!failure->message[0] || failure->status != status)) abort();
}

static void expect_usable(const ground_truth *g, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        for (int k = 0; k < EIS_COUNT; k++)
            if (!(g[i].p[k] > 0) || !isfinite(g[i].p[k])) abort();
}

static eis_options defaults(void) {
    eis_options o;
    eis_options_default(&o);
    o.threads = 1;
    return o;
}

static void expect_finite(const json_t *v) {
    const char *key;
    size_t      i;
    json_t     *member;
    if (json_is_real(v) && !isfinite(json_real_value(v))) abort();
    json_object_foreach((json_t *)(uintptr_t)v, key, member) expect_finite(member);
    json_array_foreach(v, i, member) expect_finite(member);
}

static void complete(const eis_options *o) {
    tide_failure failure = { 0 };
    eis_result   r;
    tide_status  status = eis_complete(o, NULL, NULL, &r, &failure);
    expect_told(status, &failure);
    if (status != TIDE_OK) return;
    json_t *all = json_loads(r.json, 0, NULL);
    if (!all || !json_is_number(json_object_get(all, "rs_ohm"))) abort();
    expect_finite(all);
    json_decref(all);
    eis_result_free(&r);
}

/* ---- ground truths ---- */

typedef tide_status (*truths_reader)(const char *, ground_truth **, int64_t *, tide_failure *);

static void read_truths(truths_reader reader, const char *name, const uint8_t *data, size_t size) {
    ground_truth *g = NULL;
    int64_t       count = 0;
    tide_failure  failure = { 0 };
    write_file(name, data, size);
    tide_status status = reader(path_of(name), &g, &count, &failure);
    expect_told(status, &failure);
    if (status == TIDE_OK) expect_usable(g, count);
    free(g);
}

static void truths_json(const uint8_t *data, size_t size) {
    read_truths(ground_truths_read, "truths.json", data, size);
}
static void truths_csv(const uint8_t *data, size_t size) { read_truths(dataset_csv_truths, "truths.csv", data, size); }

static void truths_npz(const uint8_t *data, size_t size) {
    ground_truth g;
    tide_failure failure = { 0 };
    write_file("truths.npz", data, size);
    tide_status status = app_npz_truth(path_of("truths.npz"), &g, &failure);
    expect_told(status, &failure);
    if (status == TIDE_OK) expect_usable(&g, 1);
}

/* ---- data ---- */

/* The header's own sum is right; the columns' are what the bytes say, so shard_check is passed over by reading all
 * itself. */
static void shard_target(const uint8_t *data, size_t size) {
    const uint8_t *end = memchr(data, 0, size);
    uint32_t       length = (uint32_t)(end ? end - data : (ptrdiff_t)size), start[SHARD_PREFIX / 4] = { 0 };
    size_t begin = (size_t)round_up(SHARD_PREFIX + (int64_t)length, SHARD_ALIGN), rest = end ? size - length - 1 : 0;
    uint8_t       *all = calloc(1, begin + rest + 1);
    if (!all) return;
    memcpy(start, SHARD_MAGIC, 8);
    start[2] = SHARD_VERSION, start[3] = length, start[4] = (uint32_t)crc32_z(0, data, length);
    memcpy(all, start, sizeof start);
    memcpy(all + SHARD_PREFIX, data, length);
    if (rest) memcpy(all + begin, end + 1, rest);
    write_file("shard-00000.tmshard", all, begin + rest);
    free(all);
    shard        s;
    tide_failure failure = { 0 }, again = { 0 };
    tide_status  status  = shard_open(path_of("shard-00000.tmshard"), &s, &failure);
    expect_told(status, &failure);
    if (status == TIDE_OK) {
        volatile double sum = 0;
        expect_usable(s.truth, s.truths);
        for (int64_t t = 0; t < s.truths; t++)
            for (int64_t row = 0; row < s.rows; row++) sum += shard_value(&s, t, row);
        for (int k = 0; k < EIS_COUNT; k++) sum += s.index[k][s.rows - 1];
        shard_close(&s);
    }
    known_data  d;
    bool        from_csv;
    eis_options o = defaults();
    snprintf(o.data_dir, sizeof o.data_dir, "%s", folder);
    status = known_data_open(&o, &d, &from_csv, &again);
    expect_told(status, &again);
    if (status == TIDE_OK) known_data_free(&d);
}

static void manifest(const uint8_t *data, size_t size) {
    tide_failure failure = { 0 };
    eis_result   r;
    eis_options  o = defaults();
    write_file("manifest.json", data, size);
    snprintf(o.data_dir, sizeof o.data_dir, "%s", folder);
    o.points = 2, o.n_ground_truths = 1;
    tide_status status = eis_generate(&o, NULL, NULL, &r, &failure);
    expect_told(status, &failure);
    eis_result_free(&r);
}

/* ---- answers ---- */

static void put_number(tide_archive *a, char *line) {
    char *index = strchr(line, ' '), *value = index ? strchr(index + 1, ' ') : NULL;
    if (!value) return;
    *index++ = 0, *value++ = 0;
    const tide_tensor *t = tide_archive_find(a, line);
    int64_t count = t ? tide_shape_count(t->shape) : 0;
    if (count > 0)
        ((float *)(uintptr_t)t->data)[(uint64_t)strtoull(index, NULL, 10) % (uint64_t)count] = strtof(value, NULL);
}

/* A network that has learned nothing, changed as the lines say. */
static void make_model(eis_recipe recipe, char *lines) {
    tide_failure   failure = { 0 };
    tide_archive   a = { 0 };
    spectrum_model m = { .config = { recipe, 16 }, .seed = 1, .keep_out = 0.05 };
    tide_graph    *g = tide_graph_new_with(&(tide_graph_options){ .device = "cpu", .threads = 1 });
    m.scale.width    = features_width(recipe);
    for (int64_t i = 0; i < m.scale.width; i++) m.scale.over_sd[i] = 1;
    network_new(g, &m.config);
    spectrum_model_plain_levels(&m);
    if (spectrum_model_archive(&m, tide_params(g, ""), NULL, &a) != TIDE_OK) abort();
    tide_graph_free(g);
    for (char *line = lines, *next; line; line = next) {
        if ((next = strchr(line, '\n'))) *next++ = 0;
        char *equal = strchr(line, '=');
        if (*line == '@') put_number(&a, line + 1);
        else if (equal && equal > line) *equal = 0, tide_archive_set(&a, line, equal + 1);
    }
    tide_safetensors_write(path_of("model.safetensors"), &a, &failure);
    tide_archive_free(&a);
}

static void model(const uint8_t *data, size_t size) {
    static bool written;
    char *lines = calloc(1, size + 1);
    if (!lines) return;
    memcpy(lines, data, size);
    for (size_t i = 0; i < size; i++) lines[i] = lines[i] ? lines[i] : ' ';
    eis_options o = defaults();
    snprintf(o.known, sizeof o.known, "Rsh=460,Ra=4.8k,Rb=2.2k,Ca=1.2uF");
    snprintf(o.rs, sizeof o.rs, size % 2 ? "0" : "auto");
    snprintf(o.spectra, sizeof o.spectra, "%s", path_of("well.csv"));
    o.seed = 1;
    tide_failure failure = { 0 };
    eis_options  simulate = defaults();
    if (!written && eis_simulate(&simulate, o.spectra, &failure) != TIDE_OK) abort();
    written = true;
    make_model(size % 2 ? EIS_RECIPE_GRID : EIS_RECIPE_LAB, lines);
    snprintf(o.model, sizeof o.model, "%s", path_of("model.safetensors"));
    o.method = EIS_NETWORK;
    complete(&o);
    free(lines);
}

static void spectrum(const uint8_t *data, size_t size) {
    eis_options o = defaults();
    write_file("well.csv", data, size);
    snprintf(o.spectra, sizeof o.spectra, "%s", path_of("well.csv"));
    snprintf(o.known, sizeof o.known, "Rsh=460,Ra=4.8k,Rb=2.2k,Cb=4.7uF");
    for (int method = EIS_REFINED; method <= EIS_EXACT; method++) o.method = method, complete(&o);
}

/* ---- readers ---- */

static void expect_sound(const eis_spectra *all) {
    if (all->count < 1 || all->count > 10000) abort();
    for (int64_t k = 0; k < all->count; k++) {
        const eis_spectrum *s = &all->spectrum[k];
        if (s->count < 5 || !s->name || !*s->name) abort();
        for (int64_t i = 0; i < s->count; i++)
            if (!(s->freq_hz[i] > 0) || !isfinite(s->freq_hz[i]) || !isfinite(s->z[i].re) || !isfinite(s->z[i].im)
                || s->line[i] < 1 || (s->sigma && !(s->sigma[i].re > 0 && s->sigma[i].im > 0)))
                abort();
    }
}

/* What was converted is read again to the same numbers. */
static void expect_same(const eis_spectrum *before, const char *csv) {
    eis_spectra  after;
    tide_failure failure = { 0 };
    write_file("again.csv", csv, strlen(csv));
    /* An imaginary part that the file states to be positive is no longer stated, and no order has no direction. */
    if (eis_spectra_read(path_of("again.csv"), NULL, &after, &failure) != TIDE_OK) return;
    if (after.count == 1)
        for (int64_t i = 0; i < before->count; i++)
            if (after.spectrum[0].freq_hz[i] != before->freq_hz[i] || after.spectrum[0].z[i].re != before->z[i].re
                || after.spectrum[0].z[i].im != before->z[i].im)
                abort();
    eis_spectra_free(&after);
}

static void read_as(const eis_options *o, bool convert) {
    eis_spectra  all;
    tide_failure failure = { 0 };
    tide_status  status = eis_spectra_read(o->spectra, o, &all, &failure);
    expect_told(status, &failure);
    if (status != TIDE_OK) return;
    expect_sound(&all);
    eis_result r;
    if (convert && all.count == 1 && eis_convert(o, NULL, NULL, &r, &failure) == TIDE_OK) {
        expect_same(&all.spectrum[0], r.csv);
        eis_result_free(&r);
    }
    eis_spectra_free(&all);
}

static void read_target(const uint8_t *data, size_t size) {
    static const struct { const char *column, *units, *sweep; bool flip_im; } settings[] = {
        { "", "", "", false },
        { "1,2,3", "kHz,mohm", "", false },
        { "Zce", "", "2-", true },
        { "2", "rad", "1", false },
    };
    eis_options o = defaults();
    write_file("any", data, size);
    snprintf(o.spectra, sizeof o.spectra, "%s", path_of("any"));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        snprintf(o.column, sizeof o.column, "%s", settings[i].column);
        snprintf(o.units, sizeof o.units, "%s", settings[i].units);
        snprintf(o.sweep, sizeof o.sweep, "%s", settings[i].sweep);
        o.flip_im = settings[i].flip_im;
        read_as(&o, i == 0);
    }
}

static const struct { const char *name; void (*run)(const uint8_t *, size_t); } targets[] = {
    { "truths_json", truths_json }, { "truths_csv", truths_csv }, { "truths_npz", truths_npz },
    { "shard", shard_target },
    { "manifest", manifest },       { "model", model },           { "spectrum", spectrum },
    { "read", read_target },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (strcmp(targets[i].name, TARGET) == 0) targets[i].run(data, size);
    return 0;
}
