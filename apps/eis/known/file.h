/* What known_model.c reads from a file. */
#ifndef EIS_KNOWN_FILE_H
#define EIS_KNOWN_FILE_H

#include <tidemill/io.h>

#include "model.h"

/* What the archive of a model.safetensors says of itself. TIDE_EINVAL when it is a model of another kind. */
tide_status known_card_take(const char *path, const tide_archive *a, known_card *card, tide_failure *failure);

/* The arrays of a run folder, .safetensors, .npz or .pth, and what it says of itself. */
tide_status known_archive_read(const char *path, tide_archive *a, known_card *card, tide_failure *failure);

#endif
