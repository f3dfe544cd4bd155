/* Who comes first sweeps; who leaves last releases. */
#include "joined.h"

#include <stdio.h>
#include <unistd.h>

#include "base/base.h"
#include "base/json.h"
#include "base/sha256.h"
#include "files/owned.h"

tide_status joined_enter(const char *folder, json_t *words, joined_folder *out, tide_failure *f) {
    *out = (joined_folder){ .folder = folder, .lock = -1 };
    tide_status status = words ? owned_claim(folder, (const char *const[]){ NULL }, f)
                               : fail(f, TIDE_ENOMEM, "out of memory for shared work");
    if (status == TIDE_OK) owned_unlock(folder, owned_lock(folder, NULL)); /* sweeps, where nobody is */
    if (status == TIDE_OK && (out->lock = owned_lock_shared(folder, f)) < 0) status = f->status;
    if (status == TIDE_OK) status = pieces_join(folder, words, false, &out->pieces, f);
    json_decref(words);
    return status;
}

void joined_leave(joined_folder *j, bool over) {
    pieces_leave(j->pieces, over);
    if (j->folder) owned_unlock_shared(j->folder, j->lock);
    *j = (joined_folder){ .lock = -1 };
}

typedef struct once { tide_status (*work)(void *user, tide_failure *failure); void *user; } once;

static tide_status do_once(void *user, int64_t i, int thread, tide_failure *f) {
    const once *o = user;
    (void)i, (void)thread;
    return o->work(o->user, f);
}

tide_status joined_once(joined_folder *j, tide_status (*work)(void *user, tide_failure *failure), void *user,
                        tide_failure *f) {
    once o = { work, user };
    return pieces_do(j->pieces, &(pieces_task){ .count = 1, .threads = 1, .make = do_once, .user = &o }, NULL, f);
}

void joined_forget(const char *folder) {
    char path[FOLDER_PATH];
    if (access(folder_file(folder, OWNED_FOLDER "/pieces", path), F_OK) != 0) return;
    int lock = owned_lock(folder, NULL);
    if (lock >= 0) pieces_clear(folder);
    owned_unlock(folder, lock);
}

json_t *joined_model(const char *model) {
    char   path[FOLDER_PATH], block[4096], hex[65];
    sha256 h;
    FILE  *file = fopen(folder_file(model, "model.safetensors", path), "re");
    if (!file) file = fopen(model, "re");
    sha256_begin(&h);
    for (size_t n; file && (n = fread(block, 1, sizeof block, file)) > 0;) sha256_add(&h, block, n);
    bool whole = file && !ferror(file);
    if (file) fclose(file);
    sha256_end(&h, hex);
    return whole ? json_sprintf("SHA-256 %s", hex) : json_text(model);
}
