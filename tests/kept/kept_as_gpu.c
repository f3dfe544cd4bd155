#include "kept.h"

const tide_backend *const backend_all[] = { &kept_as_gpu, &tide_backend_ref, &tide_backend_check, NULL };
