/* Files that clients bring. */
#include "later.h"

#include "base/json.h"

static void upload_new(serve *s, http_request *r) {
    tide_failure   failure = { 0 };
    upload_writer *w       = NULL;
    upload_info    info;
    size_t         length;
    const char    *body    = http_body(r, &length), *name = http_query(r, "name");
    if (!length) {
        reply_say(r, 422, "data", "The body is empty: it is the file.");
        return;
    }
    tide_status    status  = upload_begin(s->uploads, name, (int64_t)length, &w, &failure);
    if (status == TIDE_OK) status = upload_write(w, body, length, &failure);
    if (status == TIDE_OK) status = upload_finish(w, &info, &failure);
    else upload_abort(w);
    if (status == TIDE_OK) reply_object(r, 201, upload_json(&info));
    else reply_failure(r, &failure, "");
}

static void upload_list(serve *s, http_request *r) { reply_object(r, 200, uploads_list(s->uploads)); }

static void upload_get(serve *s, http_request *r) {
    tide_failure failure = { 0 };
    upload_info  info;
    if (uploads_get(s->uploads, http_parameter(r, 0), &info, &failure) == TIDE_OK)
        reply_object(r, 200, upload_json(&info));
    else reply_failure(r, &failure, "");
}

static void upload_remove(serve *s, http_request *r) {
    tide_failure failure = { 0 };
    if (uploads_remove(s->uploads, http_parameter(r, 0), &failure) == TIDE_OK)
        reply_object(r, 200, json_pack("{s:s}", "removed", http_parameter(r, 0)));
    else reply_failure(r, &failure, "");
}

#define KEPT(name)                                                   \
    void route_##name(void *user, http_request *r) {                 \
        serve *s = user;                                             \
        if (has_kept(s, r)) later(s->files, r, name);                \
    }
KEPT(upload_new)
KEPT(upload_list)
KEPT(upload_get)
KEPT(upload_remove)
