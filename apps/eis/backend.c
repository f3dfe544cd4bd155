/* The backends of the MLX guide as devices. */
#include <tidemill/eis.h>

#include "base/base.h"
#include "train/device.h"

const char *eis_backend_device(const char *backend) {
    char why[TRAIN_DEVICE_WHY];
    bool metal = backend && strcmp(backend, "mlx") == 0 && tide_device_info("metal", NULL, NULL) == TIDE_OK;
    return metal && train_device_works("metal", why) ? "metal" : "auto";
}
