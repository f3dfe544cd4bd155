/* The models that there are. */
#include <stdlib.h>

#include "base/json.h"
#include "serve/models/models.h"
#include "service.h"

static void reply_object(http_request *r, json_t *o) {
    reply_json(r, 200, json_whole(o, JSON_COMPACT | JSON_REAL_PRECISION(10)));
    if (o) json_decref(o);
}

void route_models(void *user, http_request *r) {
    const serve *s = user;
    reply_object(r, json_with(json_object(), "models", models_list(s->models)));
}

void route_model(void *user, http_request *r) {
    const serve *s = user;
    problem p = { 0 };
    json_t *o = models_describe(s->models, http_parameter(r, 0), &p);
    if (o) reply_object(r, o);
    else reply_problem(r, &p);
}
