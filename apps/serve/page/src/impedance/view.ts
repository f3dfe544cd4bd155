// What the plots show, worked out once from the spectrum and the answer.
import { computed } from "@preact/signals";
import { DRAWN, PARAMETERS, type Completion } from "../api";
import { answered, checked } from "./answers";
import { impedance, quantile, type Complex, type Values } from "./circuit";
import { askedPoints, choices, well } from "./state";

/** The circuit of a candidate, by default the best one, known values included; null if the answer names none. */
export function circuitOf(c: Completion, candidate = 0): Values | null {
  const one = c.top_k_predictions[candidate];
  const values = { ...c.known_params, ...one, Rs: Number(one?.Rs ?? c.rs_ohm ?? 0) } as unknown as Values;
  return PARAMETERS.every((name) => Number.isFinite(values[name])) ? values : null;
}

const DRAWS_SHOWN = 400, CURVES_SHOWN = 40;
const valuesOf = (row: number[]) => Object.fromEntries(DRAWN.map((name, k) => [name, row[k] ?? 0])) as unknown as Values;

/** Frequencies close together, from the highest down, for lines. */
export function smooth(freq: number[], each = 12): number[] {
  const high = Math.max(...freq), low = Math.min(...freq);
  const n = Math.max(2, Math.ceil(each * Math.log10(high / low)));
  return Array.from({ length: n + 1 }, (_, i) => high * (low / high) ** (i / n));
}

/** Which candidate is shown: an answer that has fewer shows its best. */
export const candidate = computed(() => {
  const wanted = choices.now.value.candidate;
  return wanted < (answered.value?.completion.top_k_predictions.length ?? 0) ? wanted : 0;
});

export interface Fit {
  /** The circuit of the line. */
  values: Values;
  line: { hz: number; z: Complex }[];
  /** 95 % of the circuits that the answer leaves possible, at the line's frequencies. */
  band: { size: [number, number]; phase: [number, number] }[] | null;
  /** A few of these circuits, whole. */
  possible: Complex[][];
}

export const size = (z: Complex) => Math.hypot(z.re, z.im);
export const phase = (z: Complex) => (-180 / Math.PI) * Math.atan2(z.im, z.re);

export const fit = computed<Fit | null>(() => {
  const a = answered.value, w = well.value;
  const values = a && circuitOf(a.completion, candidate.value);
  if (!a || !values || !w) return null;
  const hz = smooth(w.spectrum.freq_hz);
  const circuit = a.completion.circuit;
  const draws = a.draws?.rows ?? [];
  const step = Math.max(1, Math.ceil(draws.length / DRAWS_SHOWN));
  const some = draws.filter((_, i) => i % step === 0).map(valuesOf);
  const weights = a.draws?.weights.filter((_, i) => i % step === 0);
  const band = some.length < 20 ? null : hz.map((f) => {
    const z = some.map((p) => impedance(p, f, circuit));
    const between = (of: (z: Complex) => number): [number, number] => [quantile(z.map(of), 0.025, weights), quantile(z.map(of), 0.975, weights)];
    return { size: between(size), phase: between(phase) };
  });
  // Draws come in the order of their weights' sampling: evenly spaced ones are as good as any.
  const few = some.filter((_, i) => i % Math.max(1, Math.floor(some.length / CURVES_SHOWN)) === 0).slice(0, CURVES_SHOWN);
  return {
    values, line: hz.map((f) => ({ hz: f, z: impedance(values, f, circuit) })), band, possible: few.map((p) => hz.map((f) => impedance(p, f, circuit))),
  };
});

export interface Residual {
  re: number | null;
  im: number | null;
}

/** (measured - fitted) / |measured|, of every point, those left out too. */
export const fitResiduals = computed<Residual[] | null>(() => {
  const f = fit.value, w = well.value, a = answered.value;
  if (!f || !w || !a) return null;
  return w.spectrum.freq_hz.map((hz, i) => {
    const z = impedance(f.values, hz, a.completion.circuit);
    const measured = { re: w.spectrum.z_re_ohm[i]!, im: w.spectrum.z_im_ohm[i]! };
    return { re: (measured.re - z.re) / size(measured), im: (measured.im - z.im) / size(measured) };
  });
});

/** What the nearest spectrum leaves that obeys Kramers and Kronig: known for the points that were sent. */
export const checkResiduals = computed<Residual[] | null>(() => {
  const c = checked.value, w = well.value;
  if (!c || !w || c.points.length !== askedPoints.value.length) return null;
  const all: Residual[] = w.spectrum.freq_hz.map(() => ({ re: null, im: null }));
  // By the place in the list where the service keeps the order, else by frequency.
  c.points.forEach((p, k) => {
    const sent = askedPoints.value[k]!;
    const same = Math.abs(w.spectrum.freq_hz[sent]! / p.frequency_hz - 1) < 1e-6;
    const at = same ? sent : w.spectrum.freq_hz.findIndex((f) => Math.abs(f / p.frequency_hz - 1) < 1e-6);
    if (at >= 0) all[at] = { re: p.residual_re, im: p.residual_im };
  });
  return all;
});
