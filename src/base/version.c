#include <stdlib.h>

#include "base.h"

const char *tide_version(void) { return TIDE_VERSION; }

void tide_free(void *memory) { free(memory); }
