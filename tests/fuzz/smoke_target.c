/* A target of one LLVMFuzzerTestOneInput against changed copies of its seeds, for a moment and under any compiler.
 *   NAME [seconds]            default 2
 *   NAME --seeds FOLDER       writes FOLDER/N, to start a fuzzer from
 *   NAME FILE                 one input */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mutate.h"
#include "target.h"

static void try(bytes b) {
    LLVMFuzzerTestOneInput(b.data, (size_t)b.length);
    bytes_clear(&b);
}

static int write_seeds(const char *folder) {
    char path[1024];
    int  count = 0;
    for (bytes seed; (seed = fuzz_seed(count)).data; bytes_clear(&seed)) {
        snprintf(path, sizeof path, "%s/%d", folder, count++);
        file_write(path, seed);
    }
    return 0;
}

static void smoke(double limit) {
    uint64_t random = 1;
    int      count  = 0;
    for (bytes seed; (seed = fuzz_seed(count)).data; count++) try(seed);
    for (double start = mutate_seconds(); mutate_seconds() - start < limit;) {
        bytes b = fuzz_seed((int)mutate_below(&random, count));
        mutate(&b, &random);
        try(b);
    }
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "--seeds")) return write_seeds(argv[2]);
    if (argc == 2 && access(argv[1], R_OK) == 0) try(file_read(argv[1]));
    else smoke(argc == 2 ? atof(argv[1]) : 2);
    return 0;
}
