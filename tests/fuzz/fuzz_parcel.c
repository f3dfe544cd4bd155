/* What processes that share work leave for each other: a training's result, and answers of `eis complete`; the first
 * byte says which. What is taken can be packed again. */
#include "eis/completions.h"
#include "forecast/report/parcel.h"
#include "target.h"

static void add_packed(bytes *b, const void *data, size_t size) {
    unsigned char *longer = realloc(b->data, (size_t)b->length + size + 1);
    fuzz_require(longer, "no memory", &(tide_failure){ 0 });
    b->data = longer;
    memcpy(b->data + b->length, data, size);
    b->length += (int64_t)size;
}

static bytes packed_result(void) {
    static forecast_column_score columns[] = { { .name = (char *)"load" }, { .name = (char *)"price" } };
    static double   steps[3] = { 0.5, 0.6, 0.7 }, sums[2] = { 0.4, 0.5 };
    forecast_result r = { .pred_len = 3, .by_column = columns, .by_column_count = 2,
                          .json = (char *)"{}", .csv = (char *)"a,b\n" };
    void  *data = NULL;
    size_t size = 0;
    bytes  b    = { 0 };
    r.intervals[0].level_count      = 1;
    r.intervals[0].level[0].by_step = steps, r.intervals[0].level[0].by_column = sums;
    parcel_pack(&r, &data, &size, NULL);
    add_packed(&b, "r", 1);
    add_packed(&b, data, size);
    free(data);
    return b;
}

static bytes packed_answers(void) {
    completions c;
    text        all = { 0 };
    bytes       b   = { 0 };
    completions_new(&c);
    json_array_append_new(c.answers, json_pack("{s:s}", "file", "a.csv"));
    text_add(&c.talk, "a.csv\n");
    text_add(&c.table, "a.csv,1\n");
    completions_pack(&c, &all);
    add_packed(&b, "c", 1);
    add_packed(&b, all.data, all.length);
    text_free(&all);
    completions_free(&c);
    return b;
}

bytes fuzz_seed(int i) { return i == 0 ? packed_result() : i == 1 ? packed_answers() : (bytes){ 0 }; }

static void take_result(const uint8_t *data, size_t size) {
    forecast_result r   = { 0 };
    tide_failure    why = { 0 };
    void           *again = NULL;
    size_t          length = 0;
    if (parcel_unpack(data, size, &r, &why) != TIDE_OK) {
        fuzz_require(why.status == TIDE_EDATA, "a refusal without a reason", &why);
        return;
    }
    fuzz_require(parcel_pack(&r, &again, &length, &why) == TIDE_OK && length <= size, "a result that is larger", &why);
    free(again);
    forecast_result_free(&r);
}

static void take_answers(const uint8_t *data, size_t size) {
    completions  c;
    text         again = { 0 };
    tide_failure none  = { 0 };
    fuzz_require(completions_new(&c), "no memory", &none);
    if (completions_add(&c, data, size)) fuzz_require(completions_pack(&c, &again), "answers that are none", &none);
    text_free(&again);
    completions_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    if (*data == 'r') take_result(data + 1, size - 1);
    else take_answers(data + 1, size - 1);
    return 0;
}
