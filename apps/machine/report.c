/* What was found, measured and advised, as a page of text and as JSON. */
#include "machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/json.h"

#define GIB (1024.0 * 1024 * 1024)

/* Of those with memory of their own a machine may have several: NAME, NAME:1 ... */
enum { MOST_OF_A_KIND = 16 };

/* Calls `tell` with each device of this build: with why, if there is none of its name. */
static void each_device(void (*tell)(void *user, const tide_device *d, const tide_failure *why), void *user) {
    for (const char *const *name = tide_devices(); *name; name++) {
        tide_device  d;
        tide_failure why;
        tide_device_info(*name, &d, &why);
        tell(user, &d, &why);
        for (int i = 1; d.own_memory && i < MOST_OF_A_KIND; i++) {
            char next[32];
            snprintf(next, sizeof next, "%s:%d", *name, i);
            if (tide_device_info(next, &d, &why) != TIDE_OK) break;
            tell(user, &d, &why);
        }
    }
}

/* ---- text ---- */

static void add_size(text *t, int64_t bytes) {
    if (bytes >= 1 << 30) text_add(t, "%.1f GiB", (double)bytes / GIB);
    else if (bytes >= 1 << 20) text_add(t, "%.4g MiB", (double)bytes / (1 << 20));
    else text_add(t, "%.4g KiB", (double)bytes / 1024);
}

static void add_cores(text *t, const machine *m) {
    text_add(t, "cores      %d", m->performance_cores);
    if (m->efficiency_cores) text_add(t, " performance, %d efficiency", m->efficiency_cores);
    text_add(t, "; %d of %d processors allowed; ", m->allowed_processors, m->processors);
    if (m->cpu_limit > 0) text_add(t, "time of %.4g granted (cgroup v%d)\n", m->cpu_limit, m->cgroup_version);
    else text_add(t, "no limit of time\n");
}

static void add_caches(text *t, const machine *m) {
    const struct {
        const char *name;
        int64_t bytes;
    } caches[] = { { "L1d", m->l1d_bytes }, { "L2", m->l2_bytes }, { "L3", m->l3_bytes } };
    const char *separator = "caches     ";
    for (int i = 0; i < 3; i++) {
        if (caches[i].bytes == 0) continue;
        text_add(t, "%s%s ", separator, caches[i].name);
        add_size(t, caches[i].bytes);
        separator = ", ";
    }
    text_add(t, *separator == 'c' ? "caches     not known\n" : "\n");
}

static void add_memory(text *t, const machine *m) {
    text_add(t, "memory     ");
    add_size(t, m->memory_bytes);
    if (m->memory_limit_bytes) {
        text_add(t, ", of which ");
        add_size(t, m->memory_limit_bytes);
        text_add(t, " granted (cgroup v%d)", m->cgroup_version);
    }
    text_add(t, "\n");
}

/* "oneDNN 2.6.3 (its path), own kernels; no CBLAS: why" */
static void add_products(text *t) {
    const tide_product_library *all = tide_products("cpu");
    const char *separator = "products   ";
    for (const tide_product_library *l = all; l->name; l++) {
        if (l->lacks) continue;
        text_add(t, "%s%s", separator, l->name);
        if (l->version) text_add(t, " %s", l->version);
        if (l->path) text_add(t, " (%s)", l->path);
        separator = ", ";
    }
    for (const tide_product_library *l = all; l->name; l++)
        if (l->lacks) text_add(t, "; no %s: %s", l->name, l->lacks);
    text_add(t, "\n");
}

/* "opencl     NVIDIA H200, 139.8 GiB of its own", a line each */
static void add_device(void *user, const tide_device *d, const tide_failure *why) {
    text *t = user;
    text_add(t, "  %-15s ", d->name);
    if (why->status) {
        text_add(t, "not there: %s\n", why->message);
        return;
    }
    text_add(t, "%s", *d->hardware ? d->hardware : "hardware without a name");
    if (d->memory_bytes) text_add(t, ", "), add_size(t, d->memory_bytes);
    text_add(t, d->own_memory ? " of its own\n" : "\n");
}

static void add_machine(text *t, const machine *m) {
    char sets[160];
    text_add(t, "machine    %s, %s, %s\n", *m->model ? m->model : "a processor without a name", m->arch, m->system);
    add_cores(t, m);
    add_caches(t, m);
    add_memory(t, m);
    text_add(t, "sets       %s\n", *machine_feature_names(m->features, sets) ? sets : "none known");
    add_products(t);
    text_add(t, "devices\n");
    each_device(add_device, t);
}

static void add_rates(text *t, const machine *m, const machine_rates *r) {
    text_add(t, "%s  products", r->measured ? "measured " : "estimated");
    if (!machine_on_cpu(m)) text_add(t, " on %s", m->device.name);
    for (int i = 0; i < MACHINE_PRECISIONS; i++)
        if (r->gflops[i] > 0)
            text_add(t, "%s %s %.0f", i ? "," : "", machine_precision_name((machine_precision)i), r->gflops[i]);
    text_add(t, " GFLOP/s; memory %.1f GB/s; a program starts in %.3g us; %d thread%s", r->bandwidth_gbs, r->launch_us,
             r->threads,
             r->threads == 1 ? "" : "s");
    if (r->measured) text_add(t, " (%s, in %.1f s)\n", r->measured_at, r->took_s);
    else text_add(t, " (from cores and sets; `measure` measures it)\n");
}

static void add_choice(text *t, machine_choice_id id, const machine_choice *c) {
    text value = { 0 };
    if (*c->word) text_add(&value, "%s", c->word);
    else if (id == MACHINE_MEMORY) add_size(&value, c->value);
    else text_add(&value, "%" PRId64, c->value);
    if (c->most > c->value) text_add(&value, " (to %" PRId64 ")", c->most);
    text_add(t, "  %-15s %-16s %s\n", machine_choice_name(id), value.data ? value.data : "", c->why);
    t->failed = t->failed || value.failed;
    text_free(&value);
}

char *machine_text(const machine *m, const machine_rates *rates, const machine_advice *advice) {
    text t = { 0 };
    add_machine(&t, m);
    add_rates(&t, m, rates);
    text_add(&t, "advice\n");
    for (int i = 0; i < MACHINE_CHOICES; i++) add_choice(&t, (machine_choice_id)i, &advice->of[i]);
    if (!t.failed) return t.data;
    text_free(&t);
    return NULL;
}

/* ---- JSON: what is not known is null ---- */

static json_t *known(int64_t value) { return value > 0 ? json_integer(value) : json_null(); }
static json_t *known_real(double value) { return value > 0 ? json_real(value) : json_null(); }

/* The words of `text`, as a list. */
static json_t *word_list(const char *words) {
    json_t *list = json_array();
    while (list && *words) {
        size_t length = strcspn(words, " ");
        if (length) list = json_with_item(list, json_stringn(words, length));
        words += length + (words[length] == ' ');
    }
    return list;
}

static json_t *apple_json(const machine *m) {
    static const char *const tiers[] = {
        [MACHINE_BASE] = "base", [MACHINE_PRO] = "Pro", [MACHINE_MAX] = "Max", [MACHINE_ULTRA] = "Ultra"
    };
    if (!m->apple) return json_null();
    return json_pack("{s:o, s:s}", "generation", known(m->apple_generation), "tier", tiers[m->apple_tier]);
}

static json_t *machine_object(const machine *m) {
    char    sets[160];
    json_t *model = json_string(m->model);  /* NULL if it is not UTF-8 */
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "system",
                     m->system, "arch",
                     m->arch, "model", model ? model : json_null(), "apple", apple_json(m), "processors",
                     known(m->processors),
                     "allowed_processors", known(m->allowed_processors), "performance_cores",
                     known(m->performance_cores),
                     "efficiency_cores", json_integer(m->efficiency_cores), "usable_cores", known(m->usable_cores),
                     "cpu_limit",
                     known_real(m->cpu_limit), "memory_bytes", known(m->memory_bytes), "memory_limit_bytes",
                     known(m->memory_limit_bytes),
                     "cgroup_version", known(m->cgroup_version), "l1d_bytes", known(m->l1d_bytes), "l2_bytes",
                     known(m->l2_bytes),
                     "l3_bytes", known(m->l3_bytes), "instruction_sets",
                     word_list(machine_feature_names(m->features, sets)));
}

static json_t *rates_object(const machine_rates *r) {
    json_t *gflops = json_object();
    for (int i = 0; i < MACHINE_PRECISIONS; i++)
        gflops = json_with(gflops, machine_precision_name((machine_precision)i), known_real(r->gflops[i]));
    return json_pack("{s:b, s:i, s:o, s:f, s:f, s:o, s:o}", "measured", r->measured, "threads", r->threads,
                     "gemm_gflops", gflops,
                     "bandwidth_gbs", r->bandwidth_gbs, "launch_us", r->launch_us, "took_s", known_real(r->took_s),
                     "measured_at", r->measured ? json_string(r->measured_at) : json_null());
}

static json_t *device_names(void) {
    json_t *list = json_array();
    for (const char *const *d = tide_devices(); *d; d++) list = json_with_item(list, json_string(*d));
    return list;
}

static void add_device_json(void *user, const tide_device *d, const tide_failure *why) {
    json_t **list = user, *hardware = json_string(d->hardware);  /* NULL if it is not UTF-8 */
    *list = json_with_item(*list, json_pack("{s:s, s:b, s:o, s:o, s:b, s:o}", "name", d->name, "there", !why->status,
                                            "hardware", hardware ? hardware : json_null(),
                                            "memory_bytes", known(d->memory_bytes), "own_memory", d->own_memory, "why",
                                            why->status ? json_string(why->message) : json_null()));
}

static void add_gpu_json(void *user, const tide_device *d, const tide_failure *why) {
    json_t **list = user;
    if (!why->status && d->own_memory) *list = json_with_item(*list, json_string(d->name));
}

static json_t *device_list(void (*tell)(void *user, const tide_device *d, const tide_failure *why)) {
    json_t *list = json_array();
    each_device(tell, &list);
    return list;
}

static json_t *product_list(void) {
    json_t *list = json_array();
    for (const tide_product_library *l = tide_products("cpu"); l->name; l++)
        list = json_with_item(list, json_pack("{s:s, s:b, s:s?, s:s?, s:s?}", "name", l->name, "used", !l->lacks,
                                              "version", l->version, "path", l->path, "why", l->lacks));
    return list;
}

static json_t *advice_object(const machine_advice *advice) {
    json_t *o = json_object();
    for (int i = 0; i < MACHINE_CHOICES; i++) {
        const machine_choice *c = &advice->of[i];
        json_t *one = *c->word ? json_pack("{s:s, s:s}", "value", c->word, "why", c->why)
                               : json_pack("{s:I, s:I, s:s}", "value", (json_int_t)c->value, "most",
                                           (json_int_t)c->most, "why", c->why);
        o = json_with(o, machine_choice_name((machine_choice_id)i), one);
    }
    return o;
}

char *machine_json(const machine *m, const machine_rates *rates, const machine_advice *advice) {
    json_t *o = json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "schema_version", 1, "version",
                          TIDE_VERSION, "machine", machine_object(m), "products", product_list(), "devices",
                          device_names(), "device_info", device_list(add_device_json), "gpus",
                          device_list(add_gpu_json), "device", machine_on_cpu(m) ? "cpu" : m->device.name, "rates",
                          rates_object(rates), "advice", advice_object(advice));
    char   *written = json_whole(o, JSON_REAL_PRECISION(6));
    json_decref(o);
    return written;
}
