// Which measurement would narrow the answer most: of the parameters that are not known, the one whose value, were it told, would take most from the
// spread of the others. In logarithms, for a normal distribution with the draws' covariance: knowing j leaves the others their conditional variance.
import { DRAWN, PARAMETERS, type Parameter } from "../api";

export interface Narrowing {
  parameter: Parameter;
  /** By how much the other open parameters' standard deviations shrink, on average: 0.6 is to 40 %. */
  by: number;
}

function covariance(columns: number[][], weights: number[]): number[][] {
  const total = weights.reduce((a, b) => a + b, 0);
  const means = columns.map((c) => c.reduce((s, v, i) => s + weights[i]! * v, 0) / total);
  return columns.map((a, j) => columns.map((b, k) => a.reduce((s, v, i) => s + weights[i]! * (v - means[j]!) * (b[i]! - means[k]!), 0) / total));
}

export function mostNarrowing(draws: number[][], weights: number[] | undefined, missing: Parameter[]): Narrowing | null {
  const open = missing.filter((name) => PARAMETERS.includes(name));
  if (draws.length < 20 || open.length < 2) return null;
  const columns = open.map((name) => draws.map((row) => Math.log(row[DRAWN.indexOf(name)]!)));
  const usable = columns[0]!.map((_, i) => columns.every((c) => Number.isFinite(c[i])));
  const kept = columns.map((c) => c.filter((_, i) => usable[i]));
  const w = (weights ?? draws.map(() => 1)).filter((_, i) => usable[i]);
  if (w.length < 20) return null;
  const c = covariance(kept, w);
  let best: Narrowing | null = null;
  open.forEach((parameter, j) => {
    const others = open.map((_, k) => k).filter((k) => k !== j && c[k]![k]! > 0);
    if (!others.length || !(c[j]![j]! > 0)) return;
    const left = others.map((k) => Math.sqrt(Math.max(0, 1 - c[j]![k]! ** 2 / (c[j]![j]! * c[k]![k]!))));
    const by = 1 - left.reduce((a, b) => a + b, 0) / left.length;
    if (!best || by > best.by) best = { parameter, by };
  });
  return best;
}
