// Times as the file has them, shortened for axes and sentences. No time zone is put on or taken off.
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const PATTERN = /^(\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?/;

/** "2024-03-12 06:00:00" -> "12 Mar 2024, 06:00"; without the clock where `clock` is false; text that is no ISO time stays. */
export function dateWords(text: string | undefined, clock = true, year = true): string {
  const found = text && PATTERN.exec(text);
  if (!found) return text ?? "";
  const day = [found[3] && String(Number(found[3])), MONTHS[Number(found[2]) - 1], year && found[1]].filter(Boolean).join(" ");
  return clock && found[4] ? `${day}, ${found[4]}:${found[5]}` : day;
}

const STEPS: Record<string, string> = {
  s: "every second", min: "every minute", t: "every minute", h: "hourly", d: "daily", b: "each business day", w: "weekly", m: "monthly", q: "quarterly", y: "yearly", a: "yearly",
};
const UNITS: Record<string, string> = { s: "seconds", min: "minutes", t: "minutes", h: "hours", d: "days", w: "weeks", m: "months", q: "quarters", y: "years" };

/** "h" -> hourly, "15min" -> every 15 minutes. */
export function stepWords(step: string): string {
  const found = /^(\d*)\s*([A-Za-z]+)/.exec(step.trim());
  if (!found) return step;
  // MS, QE-DEC: of months, quarters and years the one that their first or last day stands for.
  const n = Number(found[1] || 1), unit = found[2]!.toLowerCase().replace(/^([mqya])[se]$/, "$1");
  return n === 1 ? STEPS[unit] ?? step : UNITS[unit] ? `every ${n} ${UNITS[unit]}` : step;
}

/** Shorter than a day: the clock says something. */
export const hasClock = (times: readonly string[] | undefined) => !!times?.slice(0, 50).some((t) => /[T ]\d{2}:\d{2}/.test(t) && !/[T ]00:00/.test(t));
