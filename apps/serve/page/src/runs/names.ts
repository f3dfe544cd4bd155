// What a run is called: what people named it, else what it does with what, and when it began.
import type { Job } from "../api";

const clock = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const fine = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** "forecast train dlinear, sales.csv". */
function madeUp(j: Job): string {
  const kind = ["arch", "recipe", "cases", "circuit"].map((name) => j.options[name]).find((v) => v !== undefined);
  const files = Object.values(j.files ?? {}).flat();
  return [`${j.command}${kind === undefined ? "" : ` ${String(kind)}`}`, ...files.slice(0, 2), ...(files.length > 2 ? [`${files.length - 2} more`] : [])].join(", ");
}

/** By id; no two are the same: where they would be, the time says more, and where that is not enough the id. */
export function namesOf(jobs: readonly Job[]): Record<string, string> {
  const forms = [
    (j: Job) => j.name || `${madeUp(j)}, ${clock.format(new Date(1000 * j.created))}`,
    (j: Job) => `${j.name || madeUp(j)}, ${fine.format(new Date(1000 * j.created))}`,
    (j: Job) => `${j.name || madeUp(j)}, ${j.id}`,
  ];
  const names: Record<string, string> = {};
  let rest = [...jobs];
  for (const form of forms) {
    const counts = new Map<string, number>();
    for (const j of rest) counts.set(form(j), (counts.get(form(j)) ?? 0) + 1);
    for (const j of rest) if (counts.get(form(j)) === 1 || form === forms[2]) names[j.id] = form(j);
    rest = rest.filter((j) => !(j.id in names));
  }
  return names;
}
