/* Wells by condition and time, and what pairs differ by, as a table: groups.csv to be read. */
#include <math.h>

#include "draw/chart.h"
#include "page.h"

static void put_name(const char *condition, const char *time, text *out) {
    text_add_escaped(out, condition);
    if (*condition && *time) text_add(out, ", ");
    text_add_escaped(out, time);
}

static void put_numbers(const batch_group *g, text *out) {
    const double numbers[] = { g->mean, g->median, g->sd, g->between, g->within };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        text_add(out, "<td>");
        if (isfinite(numbers[i])) text_add(out, "%.4g", numbers[i]);
        text_add(out, "</td>");
        if (i) continue;
        text_add(out, "<td>");
        if (isfinite(g->low95)) text_add(out, "%.4g to %.4g", g->low95, g->high95);
        text_add(out, "</td>");
    }
}

static void put_group(const batch_group *g, text *out) {
    text_add(out, "<tr><td class=\"left\">%s (", g->quantity);
    text_add_escaped(out, g->unit);
    text_add(out, ")</td><td class=\"left\">");
    put_name(g->condition, g->time, out);
    text_add(out, "</td><td class=\"left\">");
    put_name(g->less_condition, g->less_time, out);
    text_add(out, "</td><td>%lld %s%s</td>", (long long)g->count, *g->paired_by ? "pairs by " : "wells", g->paired_by);
    put_numbers(g, out);
    text_add(out, "</tr>\n");
}

void page_groups(const batch_groups *groups, text *out) {
    if (!groups->count) return;
    text_add(out, "<h2>Groups</h2>\n<div class=\"wide\"><table><thead><tr><th class=\"left\"></th><th class=\"left\">"
                  "wells</th><th class=\"left\">less those</th><th>of</th><th>mean</th><th>95 %% of the mean</th>"
                  "<th>median</th><th>sd</th><th>between</th><th>within</th></tr></thead>\n<tbody>\n");
    for (int64_t i = 0; i < groups->count; i++) put_group(&groups->of[i], out);
    text_add(out,
             "</tbody></table></div>\n<p class=\"note\">The interval is Student's over the pairs. sd: of the wells "
             "or pairs as seen; within: root mean square of the fits' standard errors; between: what of sd they do "
             "not explain. What the data do not determine is left out.</p>\n");
}
