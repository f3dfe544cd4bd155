#include "page.h"

#include "draw/chart.h"

/* A list of the answers; charts of trends and spectra are another file's. */
void batch_page(const batch_rows *rows, text *out) {
    text_add(out,
             "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Impedance spectra</title></head>"
             "<body>\n<h1>%lld spectra, %lld answers</h1>\n<ul>\n",
             (long long)rows->count, (long long)rows->answered);
    for (int64_t i = 0; i < rows->count; i++) {
        text_add(out, "<li>"), text_add_escaped(out, rows->row[i].file);
        if (*rows->row[i].reason) text_add(out, ": "), text_add_escaped(out, rows->row[i].reason);
        text_add(out, "</li>\n");
    }
    text_add(out, "</ul></body></html>\n");
}
