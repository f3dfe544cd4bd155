/* Every reader against changed copies of its seeds, the same ones each time: what a fuzzer does, for a moment and under
 * any compiler. The readers' promises are checked in parser_try, which ends the program where one is broken.
 *   fuzz_smoke [seconds per reader]        default 2
 *   fuzz_smoke --seeds FOLDER              writes FOLDER/NAME-N, to start a fuzzer from */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutate.h"
#include "parsers.h"

static bytes changed_seed(const parser *p, int count, uint64_t *random) {
    bytes b = p->seed((int)mutate_below(random, count));
    mutate(&b, random);
    return b;
}

static void smoke(const parser *p, double limit) {
    uint64_t random = 1;
    int count = 0;
    for (bytes seed; (seed = p->seed(count)).data; count++) bytes_clear(&seed);
    for (double start = mutate_seconds(); mutate_seconds() - start < limit;) {
        bytes b = changed_seed(p, count, &random);
        parser_try(p, b);
        bytes_clear(&b);
    }
}

static void write_seeds(const char *folder) {
    char path[1024];
    for (int n = 0; n < parser_count; n++)
        for (int i = 0;; i++) {
            bytes seed = parsers[n].seed(i);
            if (!seed.data) break;
            snprintf(path, sizeof path, "%s/%s-%d", folder, parsers[n].name, i);
            file_write(path, seed);
            bytes_clear(&seed);
        }
}

int main(int argc, char **argv) {
    double limit = argc == 2 ? atof(argv[1]) : 2;
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) write_seeds(argv[2]);
    else
        for (int n = 0; n < parser_count; n++) smoke(&parsers[n], limit);
    files_remove();
    return 0;
}
