#include "apart.h"

const tide_backend *const backend_all[] = { &tide_backend_apart_cpu, &tide_backend_ref, &tide_backend_check, NULL };
