// Scales that are ours to set: equal axes (an ohm is as long to the right as up), and steps of round numbers.

export interface Range {
  min: number;
  max: number;
  interval: number;
}

/** 1, 2 or 5 times a power of ten, so that `span` has about `wanted` of them. */
export function roundStep(span: number, wanted: number): number {
  if (!(span > 0) || !Number.isFinite(span)) return 1;
  const rough = span / Math.max(1, wanted);
  const power = Math.floor(Math.log10(rough));
  const lead = rough / 10 ** power;
  // As text, so that 5e-6 is the number nearest to it.
  return Number(`${lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10}e${power}`);
}

export function extent(values: Iterable<number | null | undefined>): [number, number] | null {
  let low = Infinity, high = -Infinity;
  for (const v of values) {
    if (v === null || v === undefined || !Number.isFinite(v)) continue;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return low <= high ? [low, high] : null;
}

/**
 * Both axes at one scale over a plot of width x height pixels that shows all of x and y, with a margin.
 * Each begins at a multiple of its step, so ticks are round; the end is where the pixels end.
 */
export function equalAxes(x: [number, number], y: [number, number], width: number, height: number, margin = 0.06): { x: Range; y: Range } {
  const size = Math.max(x[1] - x[0], y[1] - y[0], 1e-12 * Math.max(1, Math.abs(x[1]), Math.abs(y[1])));
  const spanX = (x[1] - x[0] || 0.1 * size) * (1 + 2 * margin);
  const spanY = (y[1] - y[0] || 0.1 * size) * (1 + 2 * margin);
  let perPixel = Math.max(spanX / width, spanY / height);
  const step = roundStep(perPixel * Math.max(width, height), Math.max(width, height) / 50);
  const startX = Math.floor((x[0] - margin * (x[1] - x[0])) / step) * step;
  const startY = Math.floor((y[0] - margin * (y[1] - y[0])) / step) * step;
  // Beginning earlier, at a multiple, may push the end out: the scale gives way, for both.
  perPixel = Math.max(perPixel, (x[1] + margin * size - startX) / width, (y[1] + margin * size - startY) / height);
  return {
    x: { min: startX, max: startX + perPixel * width, interval: step },
    y: { min: startY, max: startY + perPixel * height, interval: step },
  };
}

/** Ticks of a logarithmic axis: decades, and where these are few 1, 2 and 5 of each. */
export function logTicks(min: number, max: number): number[] {
  const from = Math.floor(Math.log10(min)), to = Math.ceil(Math.log10(max));
  const leads = Math.log10(max / min) < 1.6 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  const skip = Math.max(1, Math.ceil((to - from) / 9));
  for (let power = from; power <= to; power++)
    if (power % skip === 0) for (const lead of leads) ticks.push(Number(`${lead}e${power}`));
  const inside = ticks.filter((t) => t >= min * (1 - 1e-9) && t <= max * (1 + 1e-9));
  // A range so narrow that none is inside has its ends.
  return inside.length > 1 ? inside : [min, Math.sqrt(min * max), max].map((v) => Number(v.toPrecision(3)));
}

/** Limits of a logarithmic axis around the values. */
export function logRange(values: readonly number[]): { min: number; max: number } {
  const found = extent(values.filter((v) => v > 0)) ?? [1, 10];
  if (found[1] / found[0] < 1.5) return { min: found[0] / 2, max: found[1] * 2 };
  return { min: found[0] * 0.85, max: found[1] * 1.18 };
}
