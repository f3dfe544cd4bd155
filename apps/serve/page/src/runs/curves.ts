// Curves of losses: smoothing that begins without a bias, and what runs were told differently.
import type { Job } from "../api";

/** Exponential means, divided by the weight that was seen (as Adam does): the first value is itself. `share` is kept of what was before. */
export function smoothed(values: readonly (number | null)[], share: number): (number | null)[] {
  if (share <= 0) return [...values];
  let mean = 0, weight = 0;
  return values.map((v) => {
    if (v === null || !Number.isFinite(v)) return null;
    mean = share * mean + (1 - share) * v;
    weight = share * weight + (1 - share);
    return mean / weight;
  });
}

export interface Difference {
  option: string;
  values: string[];
}

const shown = (value: unknown) => (value === undefined || value === null ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));

/** The options that are not the same in all of them, and the command where it differs. */
export function differences(jobs: Job[]): Difference[] {
  const names = [...new Set(jobs.flatMap((j) => Object.keys(j.options)))].sort();
  const all = [{ option: "command", values: jobs.map((j) => j.command) }, ...names.map((option) => ({ option, values: jobs.map((j) => shown(j.options[option])) }))];
  return all.filter(({ values }) => new Set(values).size > 1);
}
