#ifndef SERVE_MODELS_INSIDE_H
#define SERVE_MODELS_INSIDE_H

#include <pthread.h>
#include <sys/types.h>

#include "models.h"

enum { MODEL_PATH = 2048 };

/* A model that is kept open, and the file that it was opened from. */
typedef struct kept_model {
    struct kept_model *next;
    model  *of;
    ino_t   inode;
    off_t   bytes;
    int64_t changed_ns;
} kept_model;

struct models {
    char           *folder;
    int             threads;
    pthread_mutex_t lock;
    kept_model     *kept;
    bool          (*find)(void *user, const char *id, char *path, size_t size);  /* NULL: nothing lies elsewhere */
    json_t       *(*list)(void *user);
    void           *user;
};

/* The run.json of a run folder, and whose it is: json_decref. NULL: it is none. */
json_t *model_run(const models *m, const char *id, model_kind *kind);

#endif
