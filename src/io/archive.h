/* Archives from the inside, for the readers. */
#ifndef IO_ARCHIVE_H
#define IO_ARCHIVE_H

#include <stdbool.h>
#include <tidemill/io.h>

void tensor_free(tide_tensor *t);  /* name and data; leaves it zeroed */

/* What a caller built himself: types, shapes, and data where there are elements. */
bool        tensor_sound(const tide_tensor *t);
tide_status archive_checked(const tide_archive *a, const char *path, tide_failure *f);  /* all of it, names too */

/* Moves the tensor in, name and data; frees them if memory is short. Does not look for an equal name. */
tide_status archive_take(tide_archive *a, tide_tensor *t);

/* Adds a copy of both without looking for an equal key. */
tide_status archive_append_metadata(tide_archive *a, const char *key, const char *value);

/* A name that two tensors have; NULL if all differ or *status is TIDE_ENOMEM. */
const char *archive_duplicate(const tide_archive *a, tide_status *status);

#endif
