// What a file was understood to be, for the sentence: from the service's answer, and what the user said about it.
import type { Numbers, SeriesRead } from "../api";

export interface Understood {
  rows: number;
  columns: string[];
  time: { first: string; last: string; step: string; tz: string | null } | null;
  gaps: number;
  notes: string[];
  /** What the service took the file for, in the words of options. */
  found: Record<string, string>;
  /** Options that the user set. */
  said: Record<string, string>;
  numbers: Numbers;
}

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
/** Months, quarters and years are as long as they are. */
const UNITS: [number, number, string][] = [[365 * DAY, 366 * DAY, "y"], [90 * DAY, 92 * DAY, "q"], [28 * DAY, 31 * DAY, "m"], [7 * DAY, 7 * DAY, "w"], [DAY, DAY, "d"], [HOUR, HOUR, "h"]];

const instant = (text: string) => Date.parse(text.replace(" ", "T") + (/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? "" : "Z"));

/** The usual step between rows, as an option says it: h, 15min, d, m; "" where there is none. */
export function stepOf(times: readonly string[]): string {
  const steps = times.slice(1, 200).map((t, i) => instant(t) - instant(times[i]!)).filter((s) => s > 0).sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length / 2)];
  if (!usual) return "";
  const unit = UNITS.find(([low, high]) => usual >= low && usual <= high);
  if (unit) return unit[2];
  for (const [size, word] of [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"], [1000, "s"]] as const) if (usual % size === 0) return usual === size ? word : `${usual / size}${word}`;
  return "";
}

export function understand(read: SeriesRead, said: Record<string, string>): Understood {
  const { time, columns } = read;
  return {
    rows: read.rows, columns: read.names, notes: read.notes ?? [], found: read.found ?? {}, said, gaps: Object.values(read.gaps).reduce((a, b) => a + b, 0), numbers: { ...(time && { time }), columns },
    time: time?.length ? { first: time[0]!, last: time[time.length - 1]!, step: said.freq ?? read.found?.freq ?? stepOf(time), tz: said.tz ?? read.found?.tz ?? null } : null,
  };
}
