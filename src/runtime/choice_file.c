/* Choices on disk: a small file for each machine and version, replaced whole. Several processes may write it: each adds
 * its own to what it finds. Losing one costs its timing again, no more, so nothing here fails; a note says what did not
 * go well. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../include/tidemill/io.h"
#include "runtime.h"

enum { PATH_SIZE = 1024, LARGEST = 4 << 20 };

/* With other libraries other answers are the fastest. */
static bool file_path(char path[PATH_SIZE]) {
    char machine[256], name[96];
    text of = { 0 };
    os_machine(machine, sizeof machine);
    text_add(&of, "%s", machine);
    for (const tide_product_library *l = tide_products("cpu"); l->name; l++)
        if (!l->lacks) text_add(&of, "|%s %s", l->name, l->version ? l->version : "");
    snprintf(name, sizeof name, "tuning/%s-%016" PRIx64 ".json", TIDE_VERSION, text_hash(of.data ? of.data : machine));
    text_free(&of);
    return os_cache_path(path, PATH_SIZE, name);
}

static void note(runtime *rt, const char *what, const char *path, const char *why) {
    snprintf(rt->choice_note, sizeof rt->choice_note, "%s %.200s (%.140s)", what, path, why);
}

/* NULL: there is none that is ours alone, or no memory for it. */
static char *content(const char *path) {
    int folder = os_private_folder(path, false), fd = folder < 0 ? -1 : os_private_open(folder, strrchr(path, '/') + 1);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "rb");
    if (fd >= 0 && !file) close(fd);
    if (folder >= 0) close(folder);
    char *text = file ? malloc(LARGEST) : NULL;
    size_t length = text ? fread(text, 1, LARGEST - 1, file) : 0;
    if (text) text[length] = 0;
    if (file) fclose(file);
    return text;
}

static void read_into(choices *c, runtime *rt, const char *path) {
    char *text = content(path);
    if (text && !choices_parse(c, text)) {
        note(rt, "kept choices are made anew:", path, "the file is damaged");
        choices_free(c);
    }
    free(text);
}

void choice_file_read(runtime *rt) {
    char path[PATH_SIZE];
    choices_free(&rt->tuning.kept);
    if (file_path(path)) read_into(&rt->tuning.kept, rt, path);
}

static tide_status write_choices(void *user, void *stdio_file) {
    text *all = user;
    return fwrite(all->data, 1, all->length, stdio_file) == all->length ? TIDE_OK : TIDE_EIO;
}

void choice_file_write(runtime *rt) {
    char path[PATH_SIZE];
    choices all = { 0 };
    text out = { 0 };
    tide_failure why = { 0 };
    const choices *own = &rt->tuning.used;
    if (!file_path(path)) {
        note(rt, "choices are not kept", "anywhere", "XDG_CACHE_HOME and HOME are not set");
        return;
    }
    read_into(&all, rt, path);
    for (int32_t i = 0; i < own->count; i++) choices_put(&all, own->items[i].name, own->items[i].value);
    choices_print(&out, &all);
    int folder = out.failed ? (errno = ENOMEM, -1) : os_private_folder(path, true);
    if (folder < 0) note(rt, "choices are not kept in", path, os_private_why(errno));
    else if (tide_file_replace(path, write_choices, &out, &why) != TIDE_OK)
        note(rt, "choices are not kept in", path, why.message);
    if (folder >= 0) close(folder);
    text_free(&out);
    choices_free(&all);
}
