// Impedance for the mock: the guide's circuit, a damped least-squares fit, and draws from its curvature.
import { problem } from "./mock.mjs";

const NAMES = ["Rsh", "Ra", "Rb", "Ca", "Cb"];

/** Uniform numbers in (0, 1) and normal ones, of a seed. */
export function draws(seed) {
  let s = seed >>> 0;
  const uniform = () => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

const mul = (a, b) => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
const div = (a, b) => mul(a, [b[0] / (b[0] ** 2 + b[1] ** 2), -b[1] / (b[0] ** 2 + b[1] ** 2)]);

function zOf(p, hz, circuit) {
  const w = 2 * Math.PI * hz;
  const m = (r, c) => div([r, 0], [1, w * r * c]);
  const a = m(p[1], p[3]), b = m(p[2], p[4]);
  const z = [a[0] + b[0], a[1] + b[1]];
  const all = circuit === "chain" ? [z[0] + p[0], z[1]] : div(mul(z, [p[0], 0]), [z[0] + p[0], z[1]]);
  return [all[0] + p[5], all[1]];
}

export function simulate({ known, options: { rs = 0, noise = 0, seed = 0 } = {}, freq_hz }) {
  const hz = freq_hz ?? Array.from({ length: 61 }, (_, i) => 1e5 * 10 ** (-i / 10));
  const p = [...NAMES.map((n) => known[n]), rs], d = draws(seed);
  const z = hz.map((f) => zOf(p, f, "shunt")).map(([re, im]) => {
    const size = Math.hypot(re, im);
    return [re + noise * size * d.normal(), im + noise * size * d.normal()];
  });
  return { freq_hz: hz, z_re_ohm: z.map((v) => v[0]), z_im_ohm: z.map((v) => v[1]) };
}

export function readSpectra(text, name) {
  const rows = text.split(/\r?\n/).map((line) => line.trim().split(/[\s,;]+/).map(Number)).filter((r) => r.length >= 3 && r.slice(0, 3).every(Number.isFinite));
  if (rows.length < 5) throw problem(422, `${name}: no spectrum was found in it; a CSV, .DTA or .mpt with frequency, real and imaginary part would be`);
  return { sweeps: [{ name: "", freq_hz: rows.map((r) => r[0]), z_re_ohm: rows.map((r) => r[1]), z_im_ohm: rows.map((r) => r[2]), area_cm2: null }], notes: [] };
}

/** Solves A x = b, symmetric positive definite; also returns the Cholesky factor. */
function cholesky(a) {
  const n = a.length, l = a.map((r) => r.map(() => 0));
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let s = a[i][j];
      for (let k = 0; k < j; k++) s -= l[i][k] * l[j][k];
      l[i][j] = i === j ? Math.sqrt(Math.max(s, 1e-12)) : s / l[j][j];
    }
  return l;
}
function solve(l, b) {
  const n = b.length, y = [], x = Array(n);
  for (let i = 0; i < n; i++) y[i] = (b[i] - l[i].reduce((s, v, k) => (k < i ? s + v * y[k] : s), 0)) / l[i][i];
  for (let i = n - 1; i >= 0; i--) x[i] = (y[i] - l.reduce((s, row, k) => (k > i ? s + row[i] * x[k] : s), 0)) / l[i][i];
  return x;
}
/** L^-T n: normal numbers with the inverse of L L^T as covariance. */
function spread(l, n) {
  const x = Array(n.length);
  for (let i = n.length - 1; i >= 0; i--) x[i] = (n[i] - l.reduce((s, row, k) => (k > i ? s + row[i] * x[k] : s), 0)) / l[i][i];
  return x;
}

function fitted(s, told, circuit) {
  const low = Math.min(...s.z_re_ohm), high = Math.max(...s.z_re_ohm);
  const start = [told.Rsh ?? 2 * (high - low), told.Ra ?? high, told.Rb ?? high / 2, told.Ca ?? 1e-6, told.Cb ?? 3e-6, Math.max(1e-3, low)];
  const open = [0, 1, 2, 3, 4, 5].filter((k) => k === 5 || told[NAMES[k]] === undefined);
  let x = open.map((k) => Math.log(start[k]));
  const at = (v) => start.map((p, k) => (open.includes(k) ? Math.exp(v[open.indexOf(k)]) : p));
  const residuals = (v) => s.freq_hz.flatMap((f, i) => {
    const z = zOf(at(v), f, circuit), size = Math.hypot(s.z_re_ohm[i], s.z_im_ohm[i]);
    return [(s.z_re_ohm[i] - z[0]) / size, (s.z_im_ohm[i] - z[1]) / size];
  });
  const sse = (r) => r.reduce((a, b) => a + b * b, 0);
  let r = residuals(x), damp = 1e-2, l = null;
  for (let step = 0; step < 60; step++) {
    const columns = open.map((_, k) => residuals(x.map((v, i) => (i === k ? v + 1e-5 : v))).map((v, i) => (v - r[i]) / 1e-5));
    const jj = columns.map((a, i) => columns.map((b, k) => a.reduce((t, v, n) => t + v * b[n], 0) + (i === k ? damp : 0)));
    const jr = columns.map((a) => -a.reduce((t, v, n) => t + v * r[n], 0));
    l = cholesky(jj);
    const next = x.map((v, i) => Math.max(-23, Math.min(14, v + Math.max(-1, Math.min(1, solve(l, jr)[i])))));
    const tried = residuals(next);
    if (sse(tried) < sse(r)) [x, r, damp] = [next, tried, damp / 3];
    else damp *= 4;
    if (damp > 1e6) break;
  }
  const sigma = Math.sqrt(sse(r) / Math.max(1, r.length - open.length));
  const columns = open.map((_, k) => residuals(x.map((v, i) => (i === k ? v + 1e-5 : v))).map((v, i) => (v - r[i]) / 1e-5));
  const curvature = columns.map((a, i) => columns.map((b, k) => a.reduce((t, v, n) => t + v * b[n], 0) / sigma ** 2 + (i === k ? 4 : 0)));
  return { p: at(x), open, x, at, sigma, l: cholesky(curvature), chi2: sse(r) / Math.max(1, r.length - open.length) };
}

const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))];
const interval = (values) => [quantile(values, 0.025), quantile(values, 0.975)];
const GRID = [[10, 1e4], [10, 1e4], [10, 1e4], [1e-7, 5e-5], [1e-7, 5e-5]];

function cellsOf(values, k) {
  const [low, high] = GRID[k], cells = Array(12).fill(0);
  for (const v of values) cells[Math.max(0, Math.min(11, Math.round((11 * Math.log(v / low)) / Math.log(high / low))))] += 1 / values.length;
  return cells;
}

export function complete(ask) {
  if (ask.spectra) return { answers: ask.spectra.map((spectrum) => complete({ ...ask, spectra: undefined, spectrum })) };
  const s = ask.spectrum, told = ask.known ?? {}, circuit = ask.options?.circuit ?? "shunt", method = ask.options?.method ?? "refined";
  const bad = s.freq_hz.findIndex((f) => !(f > 0));
  if (bad >= 0) throw problem(422, "a frequency must be positive", [{ pointer: `/spectrum/freq_hz/${bad}`, message: "a frequency must be positive", row: bad + 1 }]);
  for (const [name, value] of Object.entries(told)) if (value > 1e7) throw problem(422, `${name} is out of its range`, [{ pointer: `/known/${name}`, message: "at most 10 Mohm" }]);
  const f = fitted(s, told, circuit), d = draws(11);
  const many = Array.from({ length: method === "exact" ? 60 : 1500 }, () => f.at(f.x.map((v, i) => v + spread(f.l, f.open.map(d.normal))[i])));
  const missing = NAMES.filter((n) => told[n] === undefined);
  const of = (name) => many.map((p) => p[NAMES.indexOf(name)]);
  const ter = ([rsh, ra, rb]) => (rsh * (ra + rb)) / (rsh + ra + rb), tec = (p) => (p[3] * p[4]) / (p[3] + p[4]);
  const g = (f.p[1] + f.p[2]) / f.p[0];
  const top = (method === "exact" ? [0.62, 0.24, 0.1] : [0.4, 0.2, 0.12, 0.08]).map((joint_probability, i) => ({
    rank: i + 1, ...Object.fromEntries(missing.map((n) => [n, i ? of(n)[i] : f.p[NAMES.indexOf(n)]])), Rs: f.p[5], joint_probability, resnorm: 4 + i / 10, grid_indices: {},
  }));
  return {
    schema_version: 1, command: "eis complete", spectrum: s.name ?? "", circuit, method, known_params: told, missing_params: missing,
    notes: missing.length === 5 ? ["five parameters are open and a spectrum has four numbers: what is known of one narrows the others"] : [],
    ter_ohm: ter(f.p), tec_farad: tec(f.p), n1_s: 0, d1_s: 0, predicted_resnorm: 4, resnorm: "mean-abs",
    marginal_distributions: Object.fromEntries(missing.map((n) => [n, cellsOf(of(n), NAMES.indexOf(n))])), top_k_predictions: top,
    uncertainty: { entropy_nats: 1, max_probability: top[0].joint_probability, top5_mass: 1 },
    intervals_95: { TER: interval(many.map(ter)), TEC: interval(many.map(tec)), Rs: interval(many.map((p) => p[5])), ...Object.fromEntries(missing.map((n) => [n, interval(of(n))])) },
    medians: Object.fromEntries(missing.map((n) => [n, quantile(of(n), 0.5)])),
    identifiable: Object.fromEntries(missing.map((n) => [n, interval(of(n))[1] / interval(of(n))[0] < 3])), bound_hits: {},
    fibre: missing.includes("Rsh") && missing.length === 5 ? { g: [g / 4, g * 4] } : null, noise: f.sigma, noise_source: "Kramers-Kronig", rs_ohm: f.p[5], canonical: true, grid_adequate: null,
    reduced_chi2: 1, circuit_adequate: f.sigma < 0.2,
    curve: (() => {
      const z = s.freq_hz.map((hz) => zOf(f.p, hz, circuit));
      return { freq_hz: s.freq_hz, z_re_ohm: z.map((v) => v[0]), z_im_ohm: z.map((v) => v[1]) };
    })(),
    ...(ask.draws && { draws: Object.fromEntries([...[...NAMES, "Rs"].map((n, k) => [n, many.map((p) => p[k])]), ["weight", many.map(() => 1 / many.length)]]) }),
  };
}

export function check({ spectrum: s }) {
  const f = fitted(s, {}, "shunt");
  const points = s.freq_hz.map((hz, i) => {
    const z = zOf(f.p, hz, "shunt"), size = Math.hypot(s.z_re_ohm[i], s.z_im_ohm[i]);
    return { frequency_hz: hz, residual_re: (s.z_re_ohm[i] - z[0]) / size, residual_im: (s.z_im_ohm[i] - z[1]) / size, zhit: 0, left_out: false };
  });
  const sizes = points.map((p) => Math.hypot(p.residual_re, p.residual_im)), middle = quantile(sizes, 0.5);
  const far = sizes.flatMap((v, i) => (v > 6 * middle && v > 0.02 ? [i + 1] : []));
  const faults = [
    ...(far.length ? [{ fault: "outliers", unfit: false, points: far, size: Math.max(...sizes), message: `${far.length} ${far.length === 1 ? "point stands" : "points stand"} off what its neighbours say, by up to ${(100 * Math.max(...sizes)).toFixed(0)} %` }] : []),
    ...(f.sigma > 0.08 ? [{ fault: "noise", unfit: true, points: [], size: f.sigma, message: `the noise is ${(100 * f.sigma).toFixed(0)} % of the impedance: more than an answer can be read from` }] : []),
  ];
  return {
    spectrum: s.name ?? "", verdict: faults.some((x) => x.unfit) ? "unfit" : faults.length ? "flawed" : "sound", faults, noise: { source: "Kramers-Kronig", value: quantile(sizes, 0.5), robust: middle, degrees_of_freedom: 100 }, points,
  };
}
