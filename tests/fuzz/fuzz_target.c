/* One libFuzzer program per reader: PARSER names it. */
#include <stdlib.h>
#include <string.h>

#include "parsers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (int i = 0; i < parser_count; i++)
        if (strcmp(parsers[i].name, PARSER) == 0)
            parser_try(&parsers[i], (bytes){ (unsigned char *)(uintptr_t)data, (int64_t)size });
    return 0;
}
