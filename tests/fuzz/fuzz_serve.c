/* Bodies of requests: whatever comes is decoded or refused with a reason; numbers are printed as printf has them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "serve/fields/numbers.h"
#include "serve/routes/eis.h"
#include "target.h"

extern const record eis_complete_record, predict_record;

bytes fuzz_seed(int i) {
    static const char *const texts[] = {
        "{\"spectrum\":{\"freq_hz\":[1e5,1e4,100,10.5,1],\"z_re_ohm\":[1,2,3,4,5],\"z_im_ohm\":[-1,-2,-3,-4,-5]},"
        "\"known\":{\"Rsh\":460,\"Ca\":\"3.7uF\"},\"options\":{\"method\":\"exact\",\"top-k\":3},\"curve\":true}",
        "{\"spectra\":[{\"freq_hz\":[],\"name\":\"a\\n\\u00e9\"},{}],\"known\":\"Rsh=1\"}",
        "{\"model\":\"m\",\"past\":{\"time\":[\"2026-12-01 13:00\",\"2026-12-01T14:00:00+01:00\"],"
        "\"columns\":{\"a\":[1,null,-0.5e-300]}},"
        "\"level\":[80,95],\"windows\":2}",
        "[[1,2],[3,[4,5,\"x\"]],123456789012345678901234567890e-5]",
    };
    bytes b = { 0 };
    if (i < (int)(sizeof texts / sizeof *texts)) bytes_text(&b, texts[i]);
    return b;
}

static void decode(const char *text, size_t length, const record *r, void *out) {
    body    b = { 0 };
    problem p = { 0 };
    bool    fine = body_parse(text, length, &b, &p) && record_decode(&b, b.root, r, "", out, &p);
    fuzz_require(fine == !p.status && (fine || *p.detail), "a refusal without a reason", &(tide_failure){ 0 });
    problem_free(&p);
    body_free(&b);
}

/* Printed with so many digits and read again it is the same number, and printf's. */
static void number(const char *text) {
    char   mine[NUMBER_TEXT], theirs[NUMBER_TEXT];
    double v;
    if (!number_scan(&text, &v) || !isfinite(v)) return;
    for (int digits = 1; digits <= 15; digits++) {
        number_print(mine, v, digits);
        snprintf(theirs, sizeof theirs, "%.*g", digits, v);
        fuzz_require(v == 0 || strcmp(mine, theirs) == 0, theirs, &(tide_failure){ 0 });
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char      *text = malloc(size + 1);
    eis_in     eis  = { 0 };
    max_align_t room[32] = { { 0 } };
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = 0;
    decode(text, size, &eis_complete_record, &eis);
    decode(text, size, &predict_record, room);
    for (size_t i = 0; i < size; i++) number(text + i);
    free(text);
    return 0;
}
