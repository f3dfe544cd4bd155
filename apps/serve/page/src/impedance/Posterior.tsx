// What the answer leaves open: each parameter by itself, two of them together, and the circuits that the spectrum cannot tell apart.
import { useSignal } from "@preact/signals";
import { useMemo, useState } from "preact/hooks";
import { DRAWN, type Completion, type Parameter } from "../api";
import type { Column } from "../base/csv";
import { Chart, type Key } from "../chart/Chart";
import type { Ink } from "../chart/ink";
import { base, line, linear, logarithmic, points, STACKED, type Size } from "../chart/parts";
import { extent, logRange } from "../chart/scale";
import { percent, withUnit } from "../base/units";
import type { Answered } from "./answers";
import { fibreAt, invariantsOf } from "./circuit";
import { showCandidate, well } from "./state";
import { candidate, circuitOf } from "./view";
import { intervalWords, unitOf } from "./words";

/** The ranges of the answer's twelve grid values, equally far apart in the logarithm (include/tidemill/eis.h, eis_parameters). */
const GRID: Record<Parameter, [number, number]> = { Rsh: [10, 1e4], Ra: [10, 1e4], Rb: [10, 1e4], Ca: [1e-7, 5e-5], Cb: [1e-7, 5e-5] };

export interface Histogram {
  edges: number[];
  share: number[];
}

const BINS = 36;

/** Of draws in bins of the logarithm; without draws, the answer's own grid. */
export function histogramOf({ completion: c, draws }: Answered, name: Parameter): Histogram | null {
  const column = DRAWN.indexOf(name);
  const values = draws?.rows.map((row) => row[column]!).filter((v) => v > 0) ?? [];
  if (values.length >= 50) {
    const [low, high] = extent(values)!;
    const from = Math.log(low), to = Math.max(Math.log(high), from + 0.05);
    const edges = Array.from({ length: BINS + 1 }, (_, i) => Math.exp(from + ((to - from) * i) / BINS));
    const share = Array<number>(BINS).fill(0);
    const total = draws!.weights.reduce((a, b) => a + b, 0);
    draws!.rows.forEach((row, i) => {
      const at = Math.min(BINS - 1, Math.floor((BINS * (Math.log(row[column]!) - from)) / (to - from)));
      if (at >= 0) share[at] = share[at]! + draws!.weights[i]! / total;
    });
    return { edges, share };
  }
  const cells = c.marginal_distributions[name];
  if (!cells?.length) return null;
  const [low, high] = GRID[name], step = (high / low) ** (1 / (cells.length - 1));
  return { edges: Array.from({ length: cells.length + 1 }, (_, i) => low * step ** (i - 0.5)), share: cells };
}

const STRIP = 84;

function Marginals({ answered: a }: { answered: Answered }) {
  const c = a.completion;
  const found = useMemo(() => c.missing_params.flatMap((name) => {
    const h = histogramOf(a, name);
    return h ? [{ name, h }] : [];
  }), [c]);
  const draw = useMemo(() => (_: Size, ink: Ink) => ({
    ...base(ink),
    grid: found.map((_, i) => ({ left: 46, right: 16, top: 6 + i * STRIP, height: STRIP - 34 })),
    xAxis: found.map(({ name, h }, i) => logarithmic(ink, { gridIndex: i, min: h.edges[0]!, max: h.edges[h.edges.length - 1]!, unit: unitOf(name) })),
    yAxis: found.map(({ name, h }, i) => ({
      ...linear(ink, { gridIndex: i, name, gap: 20, min: 0, max: 1.05 * Math.max(...h.share), labels: () => "" }), splitLine: { show: false }, axisTick: { show: false }, nameRotate: 0,
      nameTextStyle: { color: ink.text, fontSize: 13, fontWeight: 600 },
    })),
    series: found.flatMap(({ name, h }, i) => {
      const steps = h.share.flatMap((s, k) => [[h.edges[k]!, s], [h.edges[k + 1]!, s]]);
      const known = c.intervals_95[name];
      const marks = known ? { markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: ink.muted, type: "dashed" as const }, data: known.map((x) => ({ xAxis: x })) } } : {};
      return [line(name, steps, ink.series[i % ink.series.length]!, { xAxisIndex: i, yAxisIndex: i, areaStyle: { opacity: 0.22 }, lineStyle: { color: ink.series[i % ink.series.length], width: 1.5 }, ...marks })];
    }),
  }), [found, c]);
  const columns: Column[] = found.flatMap(({ name, h }) => [
    { name: `${name} from`, unit: unitOf(name), values: h.edges.slice(0, -1) }, { name: `${name} to`, unit: unitOf(name), values: h.edges.slice(1) }, { name: `share ${name}`, values: h.share },
  ]);
  if (!found.length) return null;
  return (
    <Chart
      title="Each open parameter" name={`${well.value?.name}-marginals`} height={STRIP * found.length + 12} draw={draw} columns={columns}
      summary={found.map(({ name }) => `${name}: ${intervalWords(c, name)}`).join(". ")} readout="Dashed: 95 % of what is possible lies between."
    />
  );
}

const DOTS = 800;
const ringSize = (probability: number) => 6 + 26 * Math.sqrt(probability);

function Joint({ answered: { completion: c, draws } }: { answered: Answered }) {
  const open = c.missing_params, picked = candidate.value, hovered = useSignal<number | null>(null);
  const [pair, setPair] = useState<[Parameter, Parameter] | null>(null);
  const [a, b] = pair && pair.every((name) => open.includes(name)) ? pair : [open[0]!, open[1] ?? open[0]!];
  const dots = useMemo(() => {
    const all = draws?.rows ?? [], step = Math.max(1, Math.ceil(all.length / DOTS));
    return all.filter((_, i) => i % step === 0).map((row) => [row[DRAWN.indexOf(a)]!, row[DRAWN.indexOf(b)]!]);
  }, [draws, a, b]);
  const best = useMemo(() => c.top_k_predictions.map((p) => [Number(p[a]), Number(p[b]), p.joint_probability]), [c, a, b]);
  const draw = useMemo(() => (_: Size, ink: Ink) => {
    const both = [...dots, ...best];
    return {
      ...base(ink), grid: [{ ...{ left: 62, right: 14, top: 10, bottom: 44 } }],
      xAxis: [logarithmic(ink, { name: a, unit: unitOf(a), ...logRange(both.map((p) => p[0]!)) })],
      yAxis: [logarithmic(ink, { name: b, unit: unitOf(b), gap: 48, ...logRange(both.map((p) => p[1]!)) })],
      series: [
        points("possible", dots, ink.series[0]!, { symbolSize: 4, itemStyle: { color: ink.series[0], opacity: 0.35 } }),
        points("candidates", best, ink.series[1]!, {
          symbolSize: (v: number[]) => ringSize(v[2] ?? 0), itemStyle: { color: "transparent", borderColor: ink.series[1], borderWidth: 2 },
        }),
        points("shown", best.slice(picked, picked + 1), ink.series[1]!, { symbolSize: (v: number[]) => ringSize(v[2] ?? 0), z: 5 }),
      ],
    };
  }, [dots, best, a, b, picked]);
  const marks = useMemo(() => best.map(([x, y], index) => ({ index, grid: 0, x: x!, y: y! })), [best]);
  const words = (i: number) => `Candidate ${i + 1}: ${a} ${withUnit(best[i]?.[0], unitOf(a))}, ${b} ${withUnit(best[i]?.[1], unitOf(b))}, probability ${percent(best[i]?.[2])}${i === picked ? ", shown" : ""}`;
  if (open.length < 2) return null;
  const select = (which: 0 | 1, now: Parameter, label: string) => (
    <label>
      <span class="away">{label}</span>
      <select value={now} onChange={(e) => {
        const next: [Parameter, Parameter] = [a, b];
        next[which] = e.currentTarget.value as Parameter;
        setPair(next);
      }}>
        {open.map((name) => <option key={name}>{name}</option>)}
      </select>
    </label>
  );
  const keys: Key[] = [...(dots.length ? [{ label: "possible", series: 0, form: "dot" as const }] : []), { label: "candidates, by probability", series: 1, form: "ring" }, { label: `candidate ${picked + 1}, shown`, series: 1, form: "dot" }];
  return (
    <Chart
      title="Two together" name={`${well.value?.name}-${a}-${b}`} height={260} draw={draw} keys={keys} summary={`${a} against ${b}. Candidate ${picked + 1} is shown in all plots.`}
      readout={hovered.value !== null && hovered.value < best.length ? words(hovered.value) : "Click a candidate: Nyquist, Bode, residuals and the circuits of one spectrum show it."}
      picking={{ marks, count: best.length, hovered, words, idle: "no candidate; arrow keys go along them, Enter shows one in all plots", toggle: ([i]) => i !== undefined && showCandidate(i) }}
      columns={[
        { name: a, unit: unitOf(a), values: best.map((p) => p[0]!) }, { name: b, unit: unitOf(b), values: best.map((p) => p[1]!) },
        { name: "probability", values: best.map((p) => p[2]!) },
      ]}
    >
      <div class="row">{select(0, a, "across")} <span class="quiet">against</span> {select(1, b, "up")}</div>
    </Chart>
  );
}

const ALONG = 80;
/** Of one membrane in both: beyond, rounding is all that is left of the other. */
const LEAST_SHARE = 1e-6;

/** Every circuit along it has the same spectrum: nothing but another measurement tells which it is. */
function Fibre({ completion: c }: { completion: Completion }) {
  const walk = useMemo(() => {
    const best = circuitOf(c);
    if (!c.fibre || !best) return [];
    const q = invariantsOf(best);
    const [low, high] = [Math.max(c.fibre.g[0], 1e-6), c.fibre.g[1]];
    const all = Array.from({ length: ALONG }, (_, i) => fibreAt(q, low * (high / low) ** (i / (ALONG - 1))));
    return all.flatMap((p) => (p && Math.min(p.Ra, p.Rb) > LEAST_SHARE * Math.max(p.Ra, p.Rb) ? [p] : []));
  }, [c]);
  const picked = candidate.value, shown = circuitOf(c, picked);
  const here = shown && walk.some((p) => p.Rsh >= shown.Rsh) && walk.some((p) => p.Rsh <= shown.Rsh) ? shown.Rsh : null;
  const draw = useMemo(() => (at: Size, ink: Ink) => {
    const half = Math.round((at.height - 10 - 44 - 18) / 2);
    const stroke = here === null ? {} : { markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: ink.text, width: 1.5, type: "solid" as const }, data: [{ xAxis: here }] } };
    const x = logRange(walk.map((p) => p.Rsh));
    const of = (name: "Ra" | "Rb" | "Ca" | "Cb", series: number, below: boolean) =>
      line(name, walk.map((p) => [p.Rsh, p[name]]), ink.series[series]!, { ...(below && { xAxisIndex: 1, yAxisIndex: 1 }), ...(name.endsWith("b") && { lineStyle: { color: ink.series[series], width: 2, type: "dashed" as const } }) });
    return {
      ...base(ink),
      grid: [{ ...STACKED, top: 10, height: half }, { ...STACKED, top: 10 + half + 18, height: half }],
      xAxis: [logarithmic(ink, { ...x, hidden: true }), logarithmic(ink, { ...x, gridIndex: 1, name: "Rsh", unit: "Ω" })],
      yAxis: [
        logarithmic(ink, { name: "R", unit: "Ω", gap: 48, ...logRange(walk.flatMap((p) => [p.Ra, p.Rb])) }),
        logarithmic(ink, { name: "C", unit: "F", gridIndex: 1, gap: 48, ...logRange(walk.flatMap((p) => [p.Ca, p.Cb])) }),
      ],
      series: [{ ...of("Ra", 0, false), ...stroke }, of("Rb", 1, false), { ...of("Ca", 0, true), ...stroke }, of("Cb", 1, true)],
    };
  }, [walk, here]);
  if (walk.length < 2) return null;
  const columns: Column[] = (["Rsh", "Ra", "Rb", "Ca", "Cb"] as const).map((name) => ({ name, unit: unitOf(name), values: walk.map((p) => p[name]) }));
  return (
    <Chart
      title="What the spectrum cannot tell" name={`${well.value?.name}-fibre`} height={300} draw={draw} columns={columns}
      keys={[{ label: "Ra, Ca", series: 0 }, { label: "Rb, Cb", series: 1, form: "dashed" }]}
      summary="Circuits with one and the same spectrum, along their shunt resistance." readout={`Each place from left to right is a circuit with exactly this spectrum.${here === null ? "" : ` The upright line: candidate ${picked + 1}.`}`}
    />
  );
}

export function Posterior({ answered }: { answered: Answered }) {
  return (
    <>
      <Joint answered={answered} />
      <Marginals answered={answered} />
      <Fibre completion={answered.completion} />
    </>
  );
}
