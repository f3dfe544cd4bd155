#include "html.h"

#include "chart.h"

static const char common[] =
    "body{font:16px/1.45 system-ui,sans-serif;color:#222;background:#fff;max-width:1020px;margin:0 auto;padding:16px}"
    "h1{font-size:1.5em;margin:.2em 0}h2{font-size:1.15em;margin:1.6em 0 .5em;border-bottom:1px solid #ddd}"
    "p{margin:.5em 0;max-width:46em}.note{color:#555}"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px}"
    ".card{border:1px solid #ddd;border-radius:8px;padding:8px 12px}.card b{display:block;font-size:1.3em}.card "
    "small{color:#555}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,310px),1fr));gap:12px}"
    "figure{margin:0;break-inside:avoid;border:1px solid "
    "#eee;border-radius:8px;padding:4px}svg{display:block;width:100%;height:auto}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{padding:4px 10px;text-align:right;border-bottom:1px solid "
    "#eee;white-space:nowrap}th:first-child,td:first-child{text-align:left}th{color:#555;font-weight:600}"
    "@media print{body{max-width:none;padding:0;font-size:11pt}h2{break-after:avoid}.charts{grid-template-columns:1fr "
    "1fr}tr,.card{break-inside:avoid}}"
    "@page{margin:14mm}";

void html_begin(const char *title, const char *style, text *out) {
    text_add(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><meta name=\"viewport\" "
                  "content=\"width=device-width,initial-scale=1\"/>\n<title>");
    text_add_escaped(out, title);
    text_add(out, "</title>\n<style>%s%s</style></head><body>\n<h1>", common, style);
    text_add_escaped(out, title);
    text_add(out, "</h1>\n");
}

void html_note(const char *s, text *out) {
    if (!s) return;
    text_add(out, "<p class=\"note\">");
    text_add_escaped(out, s);
    text_add(out, "</p>\n");
}

void html_end(text *out) { text_add(out, "</body></html>\n"); }
