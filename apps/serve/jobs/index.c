/* The index: written behind the folders, made again from them. */
#include "serve/jobs/index.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"

struct job_index {
    char     folder[FOLDER_PATH], path[FOLDER_PATH];
    sqlite3 *db;    /* NULL: it could not be opened */
};

static const char schema[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF;"
                             "CREATE TABLE IF NOT EXISTS job (id TEXT PRIMARY KEY, state TEXT NOT NULL, command TEXT "
                             "NOT NULL, created REAL NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;"
                             "CREATE INDEX IF NOT EXISTS job_created ON job (created);";
static const char put[]  = "INSERT OR REPLACE INTO job VALUES (?1, ?2, ?3, ?4, ?5)";
static const char drop[] = "DELETE FROM job WHERE id = ?1";
static const char list[] = "SELECT record FROM job WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR command = ?2) "
                           "ORDER BY created DESC, id LIMIT ?3";

static tide_status failed(const job_index *x, int code, tide_failure *failure) {
    if (code == SQLITE_NOMEM) return fail(failure, TIDE_ENOMEM, "out of memory");
    return fail_at(failure, TIDE_EIO, x->path, 0, NULL, "the index of jobs: %s",
                   x->db ? sqlite3_errmsg(x->db) : sqlite3_errstr(code));
}

/* ---- one record ---- */

static int put_record(job_index *x, const json_t *record) {
    const char *id, *state, *command;
    double      created;
    if (json_unpack((json_t *)record, "{s:s, s:s, s:s, s:F}", "id", &id, "state", &state, "command", &command,
                    "created", &created) != 0)
        return SQLITE_OK; /* no record of ours */
    sqlite3_stmt *s    = NULL;
    char         *text = json_whole(record, JSON_COMPACT);
    int           code = text ? sqlite3_prepare_v2(x->db, put, -1, &s, NULL) : SQLITE_NOMEM;
    if (code == SQLITE_OK) {
        sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, state, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 3, command, -1, SQLITE_STATIC);
        sqlite3_bind_double(s, 4, created);
        sqlite3_bind_text(s, 5, text, -1, SQLITE_STATIC);
        code = sqlite3_step(s) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(x->db);
    }
    sqlite3_finalize(s);
    free(text);
    return code;
}

static int drop_record(job_index *x, const char *id) {
    sqlite3_stmt *s    = NULL;
    int           code = sqlite3_prepare_v2(x->db, drop, -1, &s, NULL);
    if (code == SQLITE_OK) sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    if (code == SQLITE_OK) code = sqlite3_step(s) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(x->db);
    sqlite3_finalize(s);
    return code;
}

/* ---- opening ---- */

static int open_file(job_index *x, const char *path) {
    int how  = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_NOFOLLOW;
    int code = sqlite3_open_v2(path, &x->db, how, NULL);
    if (code == SQLITE_OK) sqlite3_busy_timeout(x->db, 2000);
    return code == SQLITE_OK ? sqlite3_exec(x->db, schema, NULL, NULL, NULL) : code;
}

/* All records of the folders, in one transaction; what has no folder goes. */
static int fill(job_index *x) {
    char path[FOLDER_PATH], file[FOLDER_PATH];
    DIR *dir  = opendir(x->folder);
    int  code = dir ? sqlite3_exec(x->db, "BEGIN; DELETE FROM job;", NULL, NULL, NULL) : SQLITE_CANTOPEN;
    for (struct dirent *e; code == SQLITE_OK && (e = readdir(dir));) {
        if (!store_id_valid(e->d_name)) continue;
        folder_file(x->folder, e->d_name, path);
        json_t *record = store_read_json(folder_file(path, "job.json", file), NULL);
        if (record) code = put_record(x, record);
        json_decref(record);
    }
    if (dir) closedir(dir);
    return code == SQLITE_OK ? sqlite3_exec(x->db, "COMMIT", NULL, NULL, NULL) : code;
}

static void shut(job_index *x) {
    sqlite3_close(x->db);
    x->db = NULL;
}

static void unlink_file(const job_index *x) {
    static const char *const endings[] = { "", "-wal", "-shm" };
    char path[FOLDER_PATH + 8];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", x->path, endings[i]);
        unlink(path);
    }
}

/* The file as it is if it can be used, else anew; on a full disk none. */
static int open_and_fill(job_index *x) {
    static const char memory[] = ":memory:";
    const char *const paths[]  = { x->path, x->path, memory };
    int               code     = SQLITE_NOMEM;
    for (int i = 0; i < 3; i++) {
        if (i == 1) unlink_file(x);
        code = open_file(x, paths[i]);
        if (code == SQLITE_OK) code = fill(x);
        if (code == SQLITE_OK || code == SQLITE_NOMEM) return code;
        shut(x);
    }
    return code;
}

tide_status index_open(const char *folder, job_index **out, tide_failure *failure) {
    job_index *x = calloc(1, sizeof *x);
    if (!x) return fail(failure, TIDE_ENOMEM, "out of memory");
    snprintf(x->folder, sizeof x->folder, "%s", folder);
    folder_file(folder, "jobs.db", x->path);
    int         code   = open_and_fill(x);
    tide_status status = code == SQLITE_OK ? TIDE_OK : failed(x, code, failure);
    if (status == TIDE_OK) *out = x;
    else index_close(x);
    return status;
}

void index_close(job_index *x) {
    if (!x) return;
    shut(x);
    free(x);
}

/* ---- use ---- */

/* The folders have the change already: making the index again takes it in. */
static tide_status mend(job_index *x, int code, tide_failure *failure) {
    if (code == SQLITE_OK) return TIDE_OK;
    if (code != SQLITE_NOMEM) shut(x), code = open_and_fill(x);
    if (code == SQLITE_OK) return TIDE_OK;
    failed(x, code, failure);
    shut(x); /* half an index is none: the next use tries again */
    return code == SQLITE_NOMEM ? TIDE_ENOMEM : TIDE_EIO;
}

tide_status index_put(job_index *x, const json_t *record, tide_failure *failure) {
    return mend(x, x->db ? put_record(x, record) : SQLITE_CANTOPEN, failure);
}

tide_status index_drop(job_index *x, const char *id, tide_failure *failure) {
    return mend(x, x->db ? drop_record(x, id) : SQLITE_CANTOPEN, failure);
}

static json_t *read_rows(job_index *x, const char *state, const char *command, int64_t most, int *code) {
    sqlite3_stmt *s    = NULL;
    json_t       *rows = json_array();
    *code              = rows ? sqlite3_prepare_v2(x->db, list, -1, &s, NULL) : SQLITE_NOMEM;
    if (*code == SQLITE_OK) {
        sqlite3_bind_text(s, 1, state, -1, SQLITE_STATIC); /* NULL binds NULL */
        sqlite3_bind_text(s, 2, command, -1, SQLITE_STATIC);
        sqlite3_bind_int64(s, 3, most);
        while (rows && (*code = sqlite3_step(s)) == SQLITE_ROW)
            rows = json_with_item(rows, json_loads((const char *)sqlite3_column_text(s, 0), 0, NULL));
        *code = !rows ? SQLITE_NOMEM : *code == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(x->db);
    }
    sqlite3_finalize(s);
    if (*code == SQLITE_OK) return rows;
    json_decref(rows);
    return NULL;
}

json_t *index_list(job_index *x, const char *state, const char *command, int64_t most, tide_failure *failure) {
    int     code = SQLITE_CANTOPEN;
    json_t *rows = x->db ? read_rows(x, state, command, most, &code) : NULL;
    if (rows || mend(x, code, failure) != TIDE_OK) return rows;
    rows = read_rows(x, state, command, most, &code);
    if (!rows) failed(x, code, failure);
    return rows;
}
