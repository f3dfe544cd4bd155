/* Folders become their files, by name. */
#include "inputs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "eis/options/tell.h"
#include "files/owned.h"

const char *const batch_files[] = { BATCH_TABLE, BATCH_JSON, BATCH_GROUPS, BATCH_PAGE, BATCH_JOURNAL, NULL };

static bool is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A pipe or a device would be waited for. */
static bool is_other(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static bool same_file(const char *a, const char *b) {
    struct stat at[2];
    return stat(a, &at[0]) == 0 && stat(b, &at[1]) == 0 && at[0].st_dev == at[1].st_dev && at[0].st_ino == at[1].st_ino;
}

static bool is_ours(const char *folder, const char *name) {
    for (int i = 0; batch_files[i]; i++)
        if (strcmp(name, batch_files[i]) == 0) return owned_lists(folder, name);
    return false;
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static int is_shown(const struct dirent *entry) { return *entry->d_name != '.'; }

typedef struct folder_found {
    int64_t files, others;
    char first[256]; /* of what is no file in it */
} folder_found;

static tide_status add_entry(const char *folder, const char *name, const char *plate, text *out, folder_found *found,
                             tide_failure *failure) {
    text path = { 0 };
    tide_status status = TIDE_OK;
    text_add(&path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
    if (path.failed) return fail(failure, TIDE_ENOMEM, "out of memory for the files of %s", folder);
    if (is_other(path.data)) {
        if (found->others++ == 0) snprintf(found->first, sizeof found->first, "%s", name);
    } else if (strchr(name, '\n')) {
        status = fail_at(failure, TIDE_EDATA, folder, 0, "spectrum",
                         "%s has a file whose name has two lines: rename it", folder);
    } else if (!is_ours(folder, name) && !(*plate && same_file(path.data, plate))) {
        text_add(out, "%s%s", out->length ? "\n" : "", path.data);
        found->files++;
    }
    text_free(&path);
    return status;
}

static tide_status tell_others(const char *folder, const folder_found *found, eis_listener listener, void *user,
                                tide_failure *failure) {
    char line[1536];
    if (!found->others) return TIDE_OK;
    snprintf(line, sizeof line, "%.900s: folders and pipes in it are left out (%.255s%s)", folder, found->first,
             found->others > 1 ? ", ..." : "");
    return eis_tell(listener, user, EIS_NOTE, line) ? fail(failure, TIDE_ECANCELLED, "stopped") : TIDE_OK;
}

static tide_status add_folder(const char *folder, const char *plate, eis_listener listener, void *user, text *out,
                              tide_failure *failure) {
    struct dirent **entry;
    folder_found found = { 0 };
    tide_status status = TIDE_OK;
    int count = scandir(folder, &entry, is_shown, by_name);
    if (count < 0)
        return fail_at(failure, TIDE_EDATA, folder, 0, "spectrum", "cannot read the folder %s: %s", folder,
                       strerror(errno));
    for (int i = 0; i < count; i++) {
        if (status == TIDE_OK) status = add_entry(folder, entry[i]->d_name, plate, out, &found, failure);
        free(entry[i]);
    }
    free(entry);
    if (status == TIDE_OK && !found.files)
        status = fail_at(failure, TIDE_EDATA, folder, 0, "spectrum", "the folder %s has no files", folder);
    return status == TIDE_OK ? tell_others(folder, &found, listener, user, failure) : status;
}

tide_status inputs_list(const eis_options *options, eis_listener listener, void *user, text *out,
                        tide_failure *failure) {
    char *list = strdup(options->spectra), *rest = list;
    tide_status status = list ? TIDE_OK : TIDE_ENOMEM;
    for (const char *one; status == TIDE_OK && (one = strsep(&rest, "\n"));) {
        if (is_folder(one)) status = add_folder(one, options->samples, listener, user, out, failure);
        else text_add(out, "%s%s", out->length ? "\n" : "", one);
    }
    free(list);
    if (out->failed || status == TIDE_ENOMEM) return fail(failure, TIDE_ENOMEM, "out of memory for the files");
    return status;
}
