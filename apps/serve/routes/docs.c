/* The description, for programs and for people. Both are made once. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "openapi.h"
#include "service.h"

void route_openapi(void *user, http_request *r) {
    const serve *s = user;
    json_t      *o = openapi_describe(*s->options.token_file);
    reply_json(r, 200, json_whole(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10)));
    if (o) json_decref(o);
}

static void add_html(text *t, const char *s) {
    for (; s && *s; s++) {
        if (*s == '<') text_add(t, "&lt;");
        else if (*s == '&') text_add(t, "&amp;");
        else text_add(t, "%c", *s);
    }
}

static const char *of(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* Of what may be null, too, what it is else. */
static void add_type(text *t, const json_t *schema) {
    const json_t *several = json_object_get(schema, "type"), *any = json_object_get(schema, "anyOf");
    const char   *type = json_is_array(several) ? json_string_value(json_array_get(several, 0)) : of(schema, "type");
    if (any && !*type) {
        add_type(t, json_array_get(any, 0));
        return;
    }
    const char *ref = of(schema, "$ref"), *slash = strrchr(ref, '/');
    if (slash) text_add(t, "<a href=\"#%s\">%s</a>", slash + 1, slash + 1);
    else if (strcmp(type, "array") == 0) {
        text_add(t, "list of ");
        add_type(t, json_object_get(schema, "items"));
    } else add_html(t, *type ? type : "value");
}

static void add_properties(text *t, const json_t *schema) {
    const char *name;
    json_t     *value;
    text_add(t, "<dl>");
    json_object_foreach(json_object_get(schema, "properties"), name, value) {
        text_add(t, "<dt><code>");
        add_html(t, name);
        text_add(t, "</code> <i>");
        add_type(t, value);
        text_add(t, "</i></dt><dd>");
        add_html(t, of(value, "description"));
        if (json_object_get(value, "properties")) add_properties(t, value);
        text_add(t, "</dd>");
    }
    text_add(t, "</dl>");
}

static void add_paths(text *t, const json_t *o) {
    const char *path, *method;
    json_t     *methods, *operation;
    json_object_foreach(json_object_get(o, "paths"), path, methods) {
        json_object_foreach(methods, method, operation) {
            text_add(t, "<h2 class=\"%s\"><code>%s ", method, strcmp(method, "get") == 0 ? "GET" : "POST");
            add_html(t, path);
            text_add(t, "</code></h2><p>");
            add_html(t, of(operation, "summary"));
            json_t *content = json_object_get(json_object_get(operation, "requestBody"), "content");
            json_t *schema  = json_object_get(json_object_get(content, "application/json"), "schema");
            if (schema) {
                text_add(t, ". Takes ");
                add_type(t, schema);
            }
            if (json_object_get(content, "text/csv")) text_add(t, "%s a file as it is", schema ? ", or" : ". Takes");
            text_add(t, ".</p>");
        }
    }
}

static void add_schemas(text *t, const json_t *o) {
    const char *name;
    json_t     *schema;
    json_object_foreach(json_object_get(json_object_get(o, "components"), "schemas"), name, schema) {
        text_add(t, "<h2 id=\"%s\">%s</h2><p>", name, name);
        add_html(t, of(schema, "description"));
        text_add(t, "</p>");
        add_properties(t, schema);
    }
}

/* No script, nothing from elsewhere. */
void route_docs(void *user, http_request *r) {
    const serve *s = user;
    json_t      *o = openapi_describe(*s->options.token_file);
    text         t = { 0 };
    text_add(&t, "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>tidemill serve</title>"
                 "<meta name=\"viewport\" content=\"width=device-width\"><h1>tidemill serve %s</h1><p>", TIDE_VERSION);
    add_html(&t, of(json_object_get(o, "info"), "description"));
    text_add(&t, " <a href=\"openapi.json\">openapi.json</a> is the same for programs.</p>");
    add_paths(&t, o);
    add_schemas(&t, o);
    text_add(&t, "</html>\n");
    if (!o) t.failed = true;
    if (o) json_decref(o);
    http_answer_header(r, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    if (t.failed) text_free(&t);
    http_reply(r, 200, "text/html; charset=utf-8", t.data, t.data ? t.length : 1);
}
