// The spectrum in its two plots, and what the fit leaves of it. A point is the same in all three: hovered together, taken out together.
import { useMemo, useState } from "preact/hooks";
import { withUnit, percent, plain } from "../base/units";
import type { Column } from "../base/csv";
import { Chart, type Key } from "../chart/Chart";
import type { Ink } from "../chart/ink";
import type { Mark, Picking } from "../chart/picking";
import { band, base, line, linear, logarithmic, points, STACKED, type Size } from "../chart/parts";
import { equalAxes, extent, logRange } from "../chart/scale";
import { checked } from "./answers";
import { hovered, out, togglePoints, well, type Well } from "./state";
import { candidate, checkResiduals, fit, fitResiduals, phase, size, type Fit, type Residual } from "./view";

const sizeAt = (w: Well, i: number) => size({ re: w.spectrum.z_re_ohm[i]!, im: w.spectrum.z_im_ohm[i]! });
const phaseAt = (w: Well, i: number) => phase({ re: w.spectrum.z_re_ohm[i]!, im: w.spectrum.z_im_ohm[i]! });

function pointWords(w: Well, i: number): string {
  const s = w.spectrum;
  return `${withUnit(s.freq_hz[i], "Hz")}: Re ${withUnit(s.z_re_ohm[i], "Ω", 4)}, Im ${withUnit(s.z_im_ohm[i], "Ω", 4)}, |Z| ${withUnit(sizeAt(w, i), "Ω", 4)}, ` +
    `−phase ${plain(phaseAt(w, i), 3)}°${out.value.has(i) ? ", not in the fit" : ""}`;
}

const picking = (w: Well, marks: Mark[]): Picking =>
  ({
    marks, count: w.spectrum.freq_hz.length, hovered, words: (i) => pointWords(w, i), toggle: togglePoints,
    idle: "no point; arrow keys go along the points, Enter takes one out or puts it back",
  });

const readout = (w: Well) =>
  hovered.value === null ? "Click a point to take it out of the fit, or draw a box around several." : pointWords(w, hovered.value);

const twinAction = (w: Well) => ({
  heading: "in the fit", isOn: (i: number) => !out.value.has(i), toggle: (i: number) => togglePoints([i]), label: (i: number) => `point at ${withUnit(w.spectrum.freq_hz[i], "Hz")} is in the fit`,
});

const KEYS: Key[] = [{ label: "measured", series: 0, form: "dot" }, { label: "not in the fit", series: -1, form: "ring" }];
const keysOf = (f: Fit | null, spread: string): Key[] =>
  [...KEYS, ...(f ? [{ label: candidate.value ? `candidate ${candidate.value + 1}` : "fit", series: 1 }] : []), ...(f?.band ? [{ label: spread, series: 1, form: "band" as const }] : [])];

function measuredColumns(w: Well): Column[] {
  const s = w.spectrum;
  return [
    { name: "frequency", unit: "Hz", values: s.freq_hz }, { name: "Re Z", unit: "Ω", values: s.z_re_ohm }, { name: "Im Z", unit: "Ω", values: s.z_im_ohm },
    { name: "in the fit", values: s.freq_hz.map((_, i) => (out.value.has(i) ? "no" : "yes")) },
  ];
}

/** Points of the two kinds: those in the fit, and hollow ones. */
function pointSeries(ink: Ink, xy: (number | null)[][], left: Set<number>, more: object = {}, name = "") {
  return [
    points(`measured${name}`, xy.filter((_, i) => !left.has(i)), ink.series[0]!, { ...more, z: 4 }),
    points(`not in the fit${name}`, xy.filter((_, i) => left.has(i)), ink.out, { ...more, z: 4, itemStyle: { color: "transparent", borderColor: ink.out, borderWidth: 1.5 } }),
  ];
}

const EDGE = { left: 62, right: 14, top: 10, bottom: 44 };

export function Nyquist() {
  const w = well.value!, left = out.value, f = fit.value;
  const xy = useMemo(() => w.spectrum.z_re_ohm.map((re, i) => [re, -w.spectrum.z_im_ohm[i]!]), [w]);
  const marks = useMemo(() => xy.map(([x, y], index) => ({ index, grid: 0, x: x!, y: y! })), [xy]);
  const draw = useMemo(() => (at: Size, ink: Ink) => {
    const curve = f?.line.map(({ z }) => [z.re, -z.im]) ?? [];
    const x = extent([...xy.map((p) => p[0]), ...curve.map((p) => p[0])]) ?? [0, 1];
    const y = extent([0, ...xy.map((p) => p[1]), ...curve.map((p) => p[1])]) ?? [0, 1];
    const scale = equalAxes(x, y, at.width - EDGE.left - EDGE.right, at.height - EDGE.top - EDGE.bottom);
    const ohm = (v: number) => withUnit(v, "", 3);
    return {
      ...base(ink), grid: [{ ...EDGE, containLabel: false }],
      xAxis: [linear(ink, { name: "Re Z, Ω", ...scale.x, labels: ohm })], yAxis: [linear(ink, { name: "−Im Z, Ω", gap: 44, ...scale.y, labels: ohm })],
      series: [...possible(ink, f), ...(curve.length ? [line("fit", curve, ink.series[1]!)] : []), ...pointSeries(ink, xy, left)],
    };
  }, [xy, left, f]);
  return (
    <Chart
      title="Nyquist" name={`${w.name}-nyquist`} draw={draw} height={350} keys={keysOf(f, "possible circuits")} columns={measuredColumns(w)} action={twinAction(w)} readout={readout(w)}
      picking={picking(w, marks)} summary={`${xy.length} points, ${left.size} of them not in the fit; both axes have one scale.`}
    />
  );
}

/** Some of the circuits that are possible, thin: where both parts vary there is no band of one of them. */
const possible = (ink: Ink, f: Fit | null) =>
  (f?.possible ?? []).map((curve, k) => line(`possible ${k + 1}`, curve.map((z) => [z.re, -z.im]), ink.series[1]!, { lineStyle: { color: ink.series[1], width: 1, opacity: 0.14 } }));

export function Bode() {
  const w = well.value!, left = out.value, f = fit.value;
  const data = useMemo(() => ({
    size: w.spectrum.freq_hz.map((hz, i) => [hz, sizeAt(w, i)]), phase: w.spectrum.freq_hz.map((hz, i) => [hz, phaseAt(w, i)]),
  }), [w]);
  const marks = useMemo(() => [data.size, data.phase].flatMap((xy, grid) => xy.map(([x, y], index) => ({ index, grid, x: x!, y: y! }))), [data]);
  const draw = useMemo(() => (at: Size, ink: Ink) => {
    const inner = at.height - 10 - 44 - 22, half = Math.round(inner / 2);
    const hz = { ...logRange(w.spectrum.freq_hz) };
    const sizes = logRange([...data.size.map((p) => p[1]!), ...(f?.line.map(({ z }) => size(z)) ?? [])]);
    const below = { xAxisIndex: 1, yAxisIndex: 1 };
    const bands = f?.band ? [
      ...band("95 % |Z|", f.line.map((p) => p.hz), f.band.map((b) => b.size[0]), f.band.map((b) => b.size[1]), ink.series[1]!, 0.2),
      ...band("95 % phase", f.line.map((p) => p.hz), f.band.map((b) => b.phase[0]), f.band.map((b) => b.phase[1]), ink.series[1]!, 0.2, below),
    ] : [];
    return {
      ...base(ink),
      grid: [{ ...STACKED, top: 10, height: half }, { ...STACKED, top: 10 + half + 22, height: half }],
      xAxis: [logarithmic(ink, { ...hz, hidden: true }), logarithmic(ink, { ...hz, gridIndex: 1, name: "frequency", unit: "Hz" })],
      yAxis: [logarithmic(ink, { ...sizes, name: "|Z|", unit: "Ω", gap: 48 }), linear(ink, { gridIndex: 1, name: "−phase, °", gap: 44, split: 4 })],
      series: [
        ...bands,
        ...(f ? [line("fit |Z|", f.line.map((p) => [p.hz, size(p.z)]), ink.series[1]!), line("fit phase", f.line.map((p) => [p.hz, phase(p.z)]), ink.series[1]!, below)] : []),
        ...pointSeries(ink, data.size, left), ...pointSeries(ink, data.phase, left, below, " phase"),
      ],
    };
  }, [data, left, f, w]);
  const columns: Column[] = [
    ...measuredColumns(w), { name: "|Z|", unit: "Ω", values: data.size.map((p) => p[1]!) }, { name: "−phase", unit: "°", values: data.phase.map((p) => p[1]!) },
  ];
  return (
    <Chart
      title="Bode" name={`${w.name}-bode`} draw={draw} height={350} keys={keysOf(f, "95 %")} columns={columns} action={twinAction(w)} readout={readout(w)}
      picking={picking(w, marks)} summary="The impedance's size above its phase, over frequency."
    />
  );
}

export function Residuals() {
  const w = well.value!, left = out.value;
  const [of, setOf] = useState<"fit" | "check">("fit");
  const found = { fit: fitResiduals.value, check: checkResiduals.value }[of] ?? fitResiduals.value ?? checkResiduals.value;
  const noise = checked.value?.noise.value ?? null;
  const xy = useMemo(() => {
    const part = (name: keyof Residual) => w.spectrum.freq_hz.map((hz, i) => [hz, found?.[i]?.[name] == null ? null : 100 * found[i]![name]!]);
    return { re: part("re"), im: part("im") };
  }, [w, found]);
  const marks = useMemo(() => [xy.re, xy.im].flatMap((all) => all.flatMap(([x, y], index) => (y === null ? [] : [{ index, grid: 0, x: x!, y: y! }]))), [xy]);
  const draw = useMemo(() => (_: Size, ink: Ink) => {
    const kept = [...xy.re, ...xy.im].filter((_, i) => !left.has(i % xy.re.length)).map((p) => p[1]);
    const most = 1.15 * Math.max(...(extent(kept) ?? [-1, 1]).map(Math.abs), 200 * (noise ?? 0), 0.1);
    const zone = noise === null ? {} : { markArea: { silent: true, itemStyle: { color: ink.series[0], opacity: 0.09 }, data: [[{ yAxis: -100 * noise }, { yAxis: 100 * noise }]] } };
    const inside = (all: (number | null)[][]) => all.map(([x, y], i) => [x!, y === null || left.has(i) || Math.abs(y!) > most ? null : y!]);
    return {
      ...base(ink), grid: [{ ...EDGE, left: 54 }],
      xAxis: [logarithmic(ink, { ...logRange(w.spectrum.freq_hz), name: "frequency", unit: "Hz" })],
      yAxis: [linear(ink, { name: "% of |Z|", gap: 36, min: -most, max: most, labels: (v) => (Math.abs(v) > 0.999 * most ? "" : plain(v, 2)) })],
      series: [
        points("real part", inside(xy.re), ink.series[0]!, zone), points("imaginary part", inside(xy.im), ink.series[1]!, { symbol: "diamond", symbolSize: 8 }),
      ],
    };
  }, [xy, left, noise, w]);
  const columns: Column[] = [
    { name: "frequency", unit: "Hz", values: w.spectrum.freq_hz }, { name: "real part", unit: "%", values: xy.re.map((p) => p[1]) },
    { name: "imaginary part", unit: "%", values: xy.im.map((p) => p[1]) },
  ];
  const keys: Key[] = [{ label: "real part", series: 0, form: "dot" }, { label: "imaginary part", series: 1, form: "dot" },
    ...(noise === null ? [] : [{ label: `noise, ${percent(noise)}`, series: 0, form: "band" as const }])];
  return (
    <Chart
      title="Residuals" name={`${w.name}-residuals`} draw={draw} height={260} keys={keys} columns={columns} action={twinAction(w)} picking={picking(w, marks)}
      summary={`What the ${of === "fit" ? "fit" : "Kramers-Kronig check"} leaves of the spectrum, in percent of its size.`}
    >
      <div class="row segmented" role="group" aria-label="Residuals of">
        <button aria-pressed={of === "fit"} disabled={!fitResiduals.value} onClick={() => setOf("fit")}>of the fit</button>
        <button aria-pressed={of === "check"} disabled={!checkResiduals.value} onClick={() => setOf("check")}>of Kramers–Kronig</button>
      </div>
    </Chart>
  );
}
