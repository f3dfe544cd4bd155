// Forecasts that cost nothing, to hold a model's beside: the last value again, and what was a season ago. For services whose answer brings none.
import type { Numbers, Predicted } from "../api";

const SEASONS: Record<string, [number, string]> = { h: [24, "the day before"], d: [7, "the week before"], m: [12, "the year before"], q: [4, "the year before"], w: [52, "the year before"] };

/** "15min" has 96 in a day. */
export function seasonOf(step: string): [number, string] | null {
  const found = /^(\d*)(min|s|h)$/.exec(step);
  const size = found && Number(found[1] || 1) * { s: 1, min: 60, h: 3600 }[found[2] as "s" | "min" | "h"];
  if (size && 86400 % size === 0) return [86400 / size, "the day before"];
  return SEASONS[step] ?? null;
}

export function withBaselines(answer: Predicted, past: Numbers, step: string): Predicted {
  if (answer.baselines) return answer;
  const season = seasonOf(step), baselines: NonNullable<Predicted["baselines"]> = {};
  for (const [name, ahead] of Object.entries(answer.columns)) {
    const values = past.columns[name] ?? [], last = values[values.length - 1];
    if (last != null) (baselines["repeating the last"] ??= {})[name] = ahead.map(() => last);
    if (!season || values.length < season[0]) continue;
    const before = values.slice(-season[0]);
    if (before.every((v) => v !== null)) (baselines[season[1]] ??= {})[name] = ahead.map((_, k) => before[k % season[0]] as number);
  }
  return { ...answer, baselines };
}
