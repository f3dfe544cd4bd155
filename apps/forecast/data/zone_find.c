/* The system's time zone database: a folder of files named as the zones are. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "util.h"
#include "zone.h"

enum { FOLDER_TEXT = 512, MOST_BYTES = 1 << 20, MOST_NAMES = 4096, DEEPEST = 3 };

static bool is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* $TZDIR where it is set, else where systems have it. NULL: there is none. */
static const char *find_database(void) {
    static const char *const usual[] = { "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo",
                                         "/etc/zoneinfo" };
    const char *asked = getenv("TZDIR");
    if (asked && *asked) return is_folder(asked) ? asked : NULL;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (is_folder(usual[i])) return usual[i];
    return NULL;
}

/* ---- names near one that is not there ---- */

typedef struct names { char **of; int64_t count; } names;

static void add_names(names *all, const char *folder, const char *before, int depth) {
    DIR *d = opendir(folder);
    for (struct dirent *e; d && all->count < MOST_NAMES && (e = readdir(d));) {
        char path[FOLDER_TEXT], name[ZONE_NAME];
        bool fits = snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < (int)sizeof path &&
                    snprintf(name, sizeof name, "%s%s", before, e->d_name) < (int)sizeof name - 1;
        if (!fits || e->d_name[0] < 'A' || e->d_name[0] > 'Z') continue; /* posix and right hold all of them again */
        if (is_folder(path)) {
            if (depth < DEEPEST) add_names(all, path, strcat(name, "/"), depth + 1);
        } else if ((all->of[all->count] = strdup(name))) all->count++;
    }
    if (d) closedir(d);
}

static char *place_of(char *name) {
    char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* "new york" and "Berlin" for America/New_York and Europe/Berlin. */
static bool same_place(const char *a, const char *b) {
    for (; *a && *b; a++, b++) {
        char x = *a == ' ' ? '_' : *a, y = *b == ' ' ? '_' : *b;
        if (strncasecmp(&x, &y, 1) != 0) return false;
    }
    return *a == *b;
}

/* Those of the same place, else the one whose place is spelt most like it, and the one that is as a whole. */
static void choose_near(const char *name, const names *all, names *near) {
    enum { MOST = 4 };
    char word[ZONE_NAME], **places = malloc((size_t)(all->count + 1) * sizeof *places);
    snprintf(word, sizeof word, "%s", name);
    const char *place = place_of(word), *found;
    for (int64_t i = 0; i < all->count && near->count < MOST; i++)
        if (same_place(place, place_of(all->of[i]))) near->of[near->count++] = all->of[i];
    if (!near->count && (found = near_name(word, all->of, all->count))) near->of[near->count++] = (char *)found;
    for (int64_t i = 0; places && i < all->count; i++) places[i] = place_of(all->of[i]);
    found = places && near->count < 2 ? near_name(place, places, all->count) : NULL;
    for (int64_t i = 0; found && i < all->count; i++)
        if (places[i] == found && (!near->count || near->of[0] != all->of[i])) near->of[near->count++] = all->of[i];
    free(places);
}

static tide_status refuse_name(const char *folder, const char *name, tide_failure *failure) {
    names all = { calloc(MOST_NAMES + 1, sizeof *all.of), 0 }, near = { calloc(8, sizeof *near.of), 0 };
    char list[200] = "";
    if (all.of && near.of) {
        add_names(&all, folder, "", 0);
        choose_near(name, &all, &near);
        names_list(list, sizeof list, near.of, near.count);
    }
    for (int64_t i = 0; i < all.count; i++) free(all.of[i]);
    free(all.of), free(near.of);
    return forecast_fail(failure, TIDE_EINVAL, NULL, 0, "tz", "`tz` '%.60s' is no time zone of %.200s%s%s", name,
                         folder, *list ? ": near it are " : ", whose names are such as Europe/Berlin", list);
}

/* ---- the file ---- */

/* No path out of the database. */
static bool is_name(const char *name) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t length = strlen(name);
    return length && length < ZONE_NAME && name[0] != '/' && name[length - 1] != '/' && !strstr(name, "//") &&
           strspn(name, letters) == length;
}

static tide_status no_memory(const char *path, tide_failure *failure) {
    return forecast_fail(failure, TIDE_ENOMEM, path, 0, NULL, "out of memory for the time zone");
}

/* 0 bytes: there is no such file, or it is too large for one of these. */
static size_t read_bytes(const char *path, unsigned char *bytes) {
    FILE  *file = is_folder(path) ? NULL : fopen(path, "rb");
    size_t size = file ? fread(bytes, 1, MOST_BYTES, file) : 0;
    if (file) fclose(file);
    return size < MOST_BYTES ? size : 0;
}

static tide_status read_zone(const char *folder, const char *name, zone **out, tide_failure *failure) {
    char path[FOLDER_TEXT];
    bool fits = is_name(name) && snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path;
    unsigned char *bytes = malloc(MOST_BYTES);
    if (!bytes) return no_memory(NULL, failure);
    size_t size = fits ? read_bytes(path, bytes) : 0;
    bool found = size >= 4 && !memcmp(bytes, "TZif", 4), sound = found && zone_parse(bytes, size, out);
    free(bytes);
    if (!found) return refuse_name(folder, name, failure);
    if (!sound)
        return forecast_fail(failure, TIDE_EDATA, path, 0, "tz",
                             "the file of the time zone is damaged, or counts leap seconds (as those of right/ do)");
    if (!*out) return no_memory(path, failure);
    snprintf((*out)->name, sizeof (*out)->name, "%s", name);
    return TIDE_OK;
}

tide_status zone_open(const char *name, zone **out, tide_failure *failure) {
    const char *folder = find_database();
    *out = NULL;
    if (folder) return read_zone(folder, name, out, failure);
    const char *asked = getenv("TZDIR");
    return forecast_fail(failure, TIDE_EIO, NULL, 0, "tz",
                         "`tz` needs the time zone database, and %s%.200s: install the package tzdata%s",
                         asked && *asked ? "TZDIR names no folder: " : "there is none in /usr/share/zoneinfo",
                         asked && *asked ? asked : "", asked && *asked ? ", or unset TZDIR" : "");
}
