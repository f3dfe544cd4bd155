/* The MLX guide's network in PyTorch, where it is installed: a yardstick. */
#ifndef CLI_EIS_TORCH_H
#define CLI_EIS_TORCH_H

#include <tidemill/eis.h>

/* TIDE_EDEVICE, with what to install, when python3 cannot import torch and numpy. */
tide_status eis_torch_available(tide_failure *failure);
/* Trains it on the shards in data_dir, in a child process that prints its own result; the weights go into `folder`,
 * which is there. Returns the child's exit code, -1 if there is none. */
int eis_torch_train(const eis_options *o, const char *folder);

#endif
