/* Tokens are read once; what stays in memory are hashes under a key of this process, so that neither a dump nor the
 * time of a comparison tells one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "inside.h"

enum { LEAST = 16, LINE = 1024 };

static void hash(const access_rules *a, const char *text, size_t length, unsigned char out[crypto_generichash_BYTES]) {
    crypto_generichash(out, crypto_generichash_BYTES, (const unsigned char *)text, length, a->key, sizeof a->key);
}

static tide_status add(access_rules *a, const char *text, size_t length, tide_failure *failure) {
    access_token *grown = realloc(a->token, (size_t)(a->tokens + 1) * sizeof *grown);
    if (!grown) return fail(failure, TIDE_ENOMEM, "out of memory for the tokens");
    a->token = grown;
    hash(a, text, length, a->token[a->tokens++].hash);
    return TIDE_OK;
}

/* The last word of the line is the token. */
static tide_status read_line(access_rules *a, char *line, int64_t row, const char *path, tide_failure *failure) {
    line[strcspn(line, "#\r\n")] = 0;
    size_t length = strlen(line);
    while (length && (line[length - 1] == ' ' || line[length - 1] == '\t')) line[--length] = 0;
    const char *token = line + length;
    while (token > line && token[-1] != ' ' && token[-1] != '\t') token--;
    if (!*token) return TIDE_OK;
    if (strlen(token) < LEAST)
        return fail_at(failure, TIDE_EDATA, path, row, "token-file",
                       "%s, line %lld: a token has %d characters or more; openssl rand -hex 32 makes one", path,
                       (long long)row, LEAST);
    return add(a, token, strlen(token), failure);
}

static tide_status read_lines(access_rules *a, FILE *file, const char *path, tide_failure *failure) {
    char line[LINE];
    tide_status status = TIDE_OK;
    for (int64_t row = 1; status == TIDE_OK && fgets(line, sizeof line, file); row++)
        status = read_line(a, line, row, path, failure);
    sodium_memzero(line, sizeof line);
    if (status != TIDE_OK || a->tokens) return status;
    return fail_at(failure, TIDE_EDATA, path, 0, "token-file", "%s holds no token; openssl rand -hex 32 makes one",
                   path);
}

static tide_status read_file(access_rules *a, const char *path, tide_failure *failure) {
    struct stat about;
    FILE *file = fopen(path, "re");
    if (!file || fstat(fileno(file), &about) != 0) {
        int code = errno;
        if (file) fclose(file);
        return fail_at(failure, TIDE_EIO, path, 0, "token-file", "cannot read %s: %s", path, strerror(code));
    }
    tide_status status = TIDE_OK;
    if (about.st_mode & (S_IRWXG | S_IRWXO))
        status = fail_at(failure, TIDE_EINVAL, path, 0, "token-file",
                         "%s can be read by others; chmod 600 makes it its owner's alone", path);
    if (status == TIDE_OK) status = read_lines(a, file, path, failure);
    fclose(file);
    return status;
}

tide_status access_open(const char *token_file, bool loopback, const char *allowed, access_rules **out,
                        tide_failure *failure) {
    access_rules *a = sodium_init() < 0 ? NULL : calloc(1, sizeof *a);
    if (a) *a = (access_rules){ .loopback = loopback, .allowed = strdup(allowed), .needed = *token_file };
    *out = NULL;
    tide_status status = a && a->allowed ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory");
    if (status == TIDE_OK) randombytes_buf(a->key, sizeof a->key);
    if (status == TIDE_OK && *token_file) status = read_file(a, token_file, failure);
    if (status == TIDE_OK) *out = a;
    else access_close(a);
    return status;
}

void access_close(access_rules *a) {
    if (!a) return;
    sodium_memzero(a->key, sizeof a->key);
    free(a->token);
    free(a->allowed);
    free(a);
}

bool access_token_fits(const access_rules *a, const char *authorization) {
    unsigned char given[crypto_generichash_BYTES];
    static const char scheme[] = "Bearer ";
    if (!a->needed) return true;
    if (!authorization || strncmp(authorization, scheme, sizeof scheme - 1) != 0) authorization = scheme;
    const char *token = authorization + sizeof scheme - 1;
    int fits = 0;
    hash(a, token, strlen(token), given);
    for (int i = 0; i < a->tokens; i++) fits |= sodium_memcmp(given, a->token[i].hash, sizeof given) == 0;
    return fits != 0;
}
