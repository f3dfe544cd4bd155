// Curves of losses: smoothing that begins without a bias, and what runs were told differently.
import type { Job, Metrics, Progress } from "../api";

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

/** The curves with what a live run tells: the loss of a step, and after an epoch that of the validation at the same step. What is no news leaves them alone. */
export function grown(now: Metrics = {}, p: Progress): Metrics {
  const steps = now.step ?? [], last = steps[steps.length - 1] ?? -1;
  const epoch = p.stage === "epoch";
  const value = epoch ? p.val_loss : p.stage === "step" ? p.loss : null;
  if (p.step === undefined || value == null || p.step < last || (p.step === last && !epoch)) return now;
  const loss = now.loss ?? [], checks = now.val_loss ?? [];
  if (p.step === last) return { ...now, val_loss: [...checks.slice(0, -1), value] };
  return { step: [...steps, p.step], loss: [...loss, epoch ? null : value], val_loss: [...checks, epoch ? value : null] };
}
