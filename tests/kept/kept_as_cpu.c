#include "kept.h"

const tide_backend *const backend_all[] = { &kept_as_cpu, &tide_backend_ref, &tide_backend_check, NULL };
