/* What the decoder accepts, row by row. */
#include "schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"

static json_t *of_type(const char *type) { return json_with(json_object(), "type", json_string(type)); }

static json_t *with_range(json_t *o, double low, double high) {
    if (low == 0 && high == 0) return o;
    o = json_with(o, "minimum", json_real(low));
    return json_with(o, "maximum", json_real(high));
}

/* A number, or null for a gap. */
static json_t *number(const field *f, const char *type) {
    json_t *o = json_object(), *types = json_array();
    if (!f->nullable) {
        if (types) json_decref(types);
        return with_range(json_with(o, "type", json_string(type)), f->low, f->high);
    }
    types = json_with_item(json_with_item(types, json_string(type)), json_string("null"));
    return with_range(json_with(o, "type", types), f->low, f->high);
}

static json_t *list_of(json_t *items, int64_t most) {
    json_t *o = json_with(of_type("array"), "items", items);
    return most ? json_with(o, "maxItems", json_integer(most)) : o;
}

static json_t *reference(const record *r) {
    char path[128];
    snprintf(path, sizeof path, "#/components/schemas/%s", r->name);
    return json_with(json_object(), "$ref", json_string(path));
}

static json_t *either(json_t *one, json_t *other) {
    return json_with(json_object(), "anyOf", json_with_item(json_with_item(json_array(), one), other));
}

static json_t *map_of(json_t *values) { return json_with(of_type("object"), "additionalProperties", values); }

static json_t *and_null(json_t *list, json_t *null) {
    json_t *all = json_copy(list);
    return json_with_item(all, null);
}

/* The decoder takes null for what is not there; takes `o`. */
static json_t *or_null(json_t *o) {
    json_t *type = json_object_get(o, "type"), *any = json_object_get(o, "anyOf"), *choice = json_object_get(o, "enum");
    if (any) return json_with(o, "anyOf", and_null(any, of_type("null")));
    if (!type) return either(o, of_type("null"));
    if (choice) o = json_with(o, "enum", and_null(choice, json_null()));
    if (json_is_array(type)) return o;
    json_t *types = json_with_item(json_with_item(json_array(), json_incref(type)), json_string("null"));
    return json_with(o, "type", types);
}

static json_t *schema_of_field(const field *f) {
    switch (f->type) {
    case FIELD_NUMBER:  return number(f, "number");
    case FIELD_WHOLE:   return number(f, "integer");
    case FIELD_BOOL:    return of_type("boolean");
    case FIELD_NUMBERS: return list_of(number(f, "number"), f->most);
    case FIELD_RECORD:  return reference(f->of);
    case FIELD_RECORDS: return list_of(reference(f->of), f->most);
    case FIELD_COLUMNS: return map_of(list_of(number(f, "number"), f->most));
    case FIELD_VALUES:  return either(map_of(or_null(either(of_type("number"), of_type("string")))), of_type("string"));
    case FIELD_TIMES:   return list_of(either(of_type("string"), of_type("number")), f->most);
    case FIELD_OPTIONS: return schema_of_options(f->door);
    default:            return of_type("string");
    }
}

static json_t *described(json_t *o, const field *f) {
    char text[400];
    snprintf(text, sizeof text, "%s%s%s%s", f->help, f->unit ? " (" : "", f->unit ? f->unit : "", f->unit ? ")" : "");
    return json_with(o, "description", json_string(text));
}

json_t *schema_of_record(const record *r) {
    json_t *properties = json_object(), *required = json_array(), *o = of_type("object");
    for (int i = 0; i < r->count; i++) {
        const field *row = &r->rows[i];
        json_t      *own = schema_of_field(row);
        properties = json_with(properties, row->name, described(row->required ? own : or_null(own), row));
        if (row->required) required = json_with_item(required, json_string(row->name));
    }
    o = json_with(json_with(o, "description", json_string(r->help)), "properties", properties);
    if (json_array_size(required)) o = json_with(o, "required", required);
    else if (required) json_decref(required);
    return json_with(o, "additionalProperties", json_false());
}

/* ---- options ---- */

static json_t *choices(const tide_option *row) {
    json_t *list = json_array();
    char   *copy = strdup(row->choices), *rest = copy, *word;
    while (copy && (word = strsep(&rest, "|"))) list = json_with_item(list, json_string(word));
    free(copy);
    return json_with(of_type("string"), "enum", list);
}

static json_t *lists(void) { return either(list_of(of_type("string"), 0), list_of(of_type("number"), 0)); }

static json_t *type_of_option(const tide_option *row) {
    switch (row->type) {
    case TIDE_OPTION_IS_BOOL:   return of_type("boolean");
    case TIDE_OPTION_IS_INT:    return with_range(of_type("integer"), row->low, row->high);
    case TIDE_OPTION_IS_REAL:   return with_range(of_type("number"), row->low, row->high);
    case TIDE_OPTION_IS_CHOICE: return choices(row);
    default:                    return either(of_type("string"), either(of_type("number"), lists()));
    }
}

static json_t *describe_option(const tide_option *row, json_t *type) {
    json_t *o = json_with(type, "description", json_string(row->help));
    if (row->standard && row->type == TIDE_OPTION_IS_CHOICE) o = json_with(o, "default", json_string(row->standard));
    if (row->standard && (row->type == TIDE_OPTION_IS_INT || row->type == TIDE_OPTION_IS_REAL))
        o = json_with(o, "default", json_real(num_parse(row->standard, NULL)));
    return o;
}

json_t *schema_of_options(const option_door *door) {
    const tide_option_table *t = door->table();
    json_t *properties = json_object();
    for (int64_t i = 0; i < t->count; i++)
        if (options_open(door, &t->rows[i]))
            properties = json_with(properties, t->rows[i].name,
                                   describe_option(&t->rows[i], or_null(type_of_option(&t->rows[i]))));
    return json_with(json_with(of_type("object"), "properties", properties), "additionalProperties", json_false());
}

/* A query has texts: a list is one of them. */
json_t *schema_of_query(const tide_option *row) {
    bool single = row->type == TIDE_OPTION_IS_BOOL || row->type == TIDE_OPTION_IS_INT ||
                  row->type == TIDE_OPTION_IS_REAL || row->type == TIDE_OPTION_IS_CHOICE;
    return describe_option(row, single ? type_of_option(row) : of_type("string"));
}

json_t *schema_add(json_t *schemas, const record *r) {
    if (json_object_get(schemas, r->name)) return schemas;
    schemas = json_with(schemas, r->name, schema_of_record(r));
    for (int i = 0; schemas && i < r->count; i++)
        if (r->rows[i].of) schemas = schema_add(schemas, r->rows[i].of);
    return schemas;
}
