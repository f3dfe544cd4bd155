// How far off a forecast was, beside its baselines: mean absolute errors, where the truth is there.

export type Series = Record<string, (number | null)[]>;

export interface Scored {
  /** Mean absolute error by name: "forecast", and each baseline. */
  mae: Record<string, number>;
  steps: number;
}

export function meanAbsolute(forecast: readonly number[], truth: readonly (number | null | undefined)[]): { sum: number; count: number } {
  let sum = 0, count = 0;
  forecast.forEach((value, i) => {
    const came = truth[i];
    if (came === null || came === undefined || !Number.isFinite(came) || !Number.isFinite(value)) return;
    sum += Math.abs(value - came);
    count++;
  });
  return { sum, count };
}

export function score(all: Record<string, readonly number[]>, truth: readonly (number | null | undefined)[]): Scored | null {
  const found = Object.entries(all).map(([name, values]) => [name, meanAbsolute(values, truth)] as const);
  const steps = found[0]?.[1].count ?? 0;
  if (!steps) return null;
  return { steps, mae: Object.fromEntries(found.filter(([, f]) => f.count).map(([name, f]) => [name, f.sum / f.count])) };
}

/** "31 % better than seasonal naive" for each baseline. */
export function beats(scored: Scored): string[] {
  const own = scored.mae.forecast;
  return Object.entries(scored.mae).filter(([name]) => name !== "forecast").flatMap(([name, other]) => {
    if (own === undefined || !(other > 0)) return [];
    const share = Math.round(100 * (1 - own / other));
    return [share > 0 ? `beats ${name} by ${share} %` : share === 0 ? `as good as ${name}` : `behind ${name} by ${-share} %`];
  });
}

/** Mean absolute error of each step ahead, over several cut-offs. */
export class ByHorizon {
  private sums: Record<string, { sum: number; count: number }[]> = {};

  add(name: string, forecast: readonly number[], truth: readonly (number | null | undefined)[]): void {
    const list = (this.sums[name] ??= []);
    forecast.forEach((value, i) => {
      const slot = (list[i] ??= { sum: 0, count: 0 });
      const one = meanAbsolute([value], [truth[i]]);
      slot.sum += one.sum;
      slot.count += one.count;
    });
  }

  means(): Record<string, (number | null)[]> {
    return Object.fromEntries(Object.entries(this.sums).map(([name, list]) => [name, list.map((s) => (s.count ? s.sum / s.count : null))]));
  }
}
