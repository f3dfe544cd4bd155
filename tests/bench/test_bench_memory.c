/* A report, and the opening of a case, with each allocation made to fail once: nothing crashes or leaks (the leak
 * checker of a sanitizer build looks), and what is told is whole or absent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "../forecast/refuse.h"
#include "bench/parts.h"
#include "bench/subject.h"

static const bench_spec forecast = { .name = "small",
                                     .kind = BENCH_FORECAST,
                                     .batch = 2,
                                     .columns = 3,
                                     .seq_len = 8,
                                     .pred_len = 4,
                                     .marks = 4,
                                     .d_model = 8,
                                     .d_ff = 8,
                                     .n_heads = 2,
                                     .e_layers = 1,
                                     .dropout = 0.1 };
static const bench_spec eis = { .name = "small", .kind = BENCH_EIS, .batch = 4, .hidden = 8 };

static bench_report some_report(bench_entry entry[2]) {
    for (int i = 0; i < 2; i++) {
        bench_result *r = &entry[i].result;
        *r = (bench_result){
            .spec = i ? eis : forecast, .precision = TIDE_PRECISION_F32, .note = "a note", .threads = 1,
            .roof_gflops = 1e4, .parameters = 9
        };
        r->train  = (bench_program){ .flops = 1e9, .batch = 32, .times = { .count = 3, .ms = { 2, 1, 3 } } };
        r->batches[0].batch = 128, r->epochs = (struct bench_epochs){ 2, 4, 1, 2 };
        bench_summarise(&r->train.times);
        entry[i].step_ms = 2, entry[i].queued_ms = 1;
        entry[i].peer    = (bench_peer){ .version = "other", .mode[BENCH_EAGER] = { 4, 1, 1, 2, 3 } };
    }
    return (bench_report){ .commit = "abc", .threads = 1, .rounds = 1, .compared = true, .entry = entry, .count = 2 };
}

/* Whether no allocation was refused. */
static bool tell_all(void) {
    bench_entry  entry[2];
    bench_report r    = some_report(entry);
    bench_peer   peer = { 0 };
    char *text = bench_text(&r), *json = bench_json(&r);
    bench_peer_line("{\"case\": \"x\", \"mode\": \"eager\", \"step_ms\": 5}", "x", &peer);
    bool refused  = until_failure < 0;
    until_failure = -1;
    json_t *o = json ? json_loads(json, 0, NULL) : NULL;
    if (json && json_array_size(json_object_get(o, "cases")) != 2) fail_msg("a part of the JSON: %s", json);
    for (size_t i = 0; json && i < 2; i++)
        if (!json_object_get(json_array_get(json_object_get(o, "cases"), i), "peer_failed"))
            fail_msg("a part of a case: %s", json);
    if (text && !strstr(text, "could be better (5 % of the rate of products)\n"))
        fail_msg("a part of the text: %s", text);
    if (!refused && !(text && json && peer.mode[BENCH_EAGER].step_ms == 5))
        fail_msg("nothing was refused, and yet something is missing");
    json_decref(o);
    free(text), free(json);
    return !refused;
}

static bool open_subject(const bench_spec *spec) {
    subject      s;
    tide_failure f      = { 0 };
    tide_status  status = subject_open(spec, NULL, 1, &s, &f);
    bool         refused = until_failure < 0;
    until_failure = -1;
    if (status != TIDE_OK && (status != f.status || !*f.message)) fail_msg("status %d without a message", (int)status);
    if (!refused && status != TIDE_OK) fail_msg("nothing was refused, and yet: %s", f.message);
    subject_close(&s);
    return !refused;
}

static bool open_forecast(void) { return open_subject(&forecast); }
static bool open_eis(void) { return open_subject(&eis); }

static void every_allocation(void **state) {
    static const struct {
        bool (*use)(void);
        int least;
    } uses[] = { { tell_all, 50 }, { open_forecast, 4 }, { open_eis, 4 } };
    (void)state;
    json_set_alloc_funcs(malloc, free);
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        int64_t granted = 0;
        for (bool whole = false; !whole && granted < 5000; granted++) {
            until_failure = granted;
            whole = uses[i].use();
        }
        if (granted < uses[i].least || granted == 5000)
            fail_msg("use %d: %d allocations were refused in turn: expected at least %d", (int)i, (int)granted,
                     uses[i].least);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
