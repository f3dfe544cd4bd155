// History, what came, and what was forecast from the cut-off, a plot for each column that is shown. The cut-off is dragged here, or by the range under it.
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Column } from "../base/csv";
import { plain } from "../base/units";
import { Chart, type Key } from "../chart/Chart";
import type { Ink } from "../chart/ink";
import { band, base, line, linear, type Size } from "../chart/parts";
import { roundStep } from "../chart/scale";
import { dateWords, hasClock } from "./dates";
import { beats, score } from "./errors";
import { forecast, LEVELS, type Shown } from "./live";
import { change, choices, cut, cutRange, horizon, lookBack, rows, series, shown } from "./state";

const HEIGHT = 230, TOP = 26, BOTTOM = 24;

/** The rows in view: they move when the cut-off comes near their end. */
function viewOf(at: number, span: number): [number, number] {
  const length = Math.max(lookBack.value + horizon.value, span * horizon.value);
  const step = Math.max(1, Math.round(length / 3));
  const from = Math.max(0, Math.min(rows.value + horizon.value - length, Math.floor((at - length * 0.4) / step) * step));
  return [from, from + length];
}

export function bandsOf(f: Shown, name: string): { level: number; low: number[]; high: number[] }[] {
  return LEVELS.flatMap((level) => {
    const found = f.predicted.bands?.[name]?.[String(level)];
    return found ? [{ level, ...found }] : [];
  }).reverse();
}

const after = (f: Shown, values: readonly number[]) => values.map((v, i) => [f.cut + i, v]);

function columnSeries(ink: Ink, name: string, i: number, view: [number, number], f: Shown | null) {
  const values = series.value.columns[name]!, at = { xAxisIndex: i, yAxisIndex: i };
  const rowsOf = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, k) => [from + k, values[from + k] ?? null]);
  const c = cut.value;
  const history = line(`${name} history`, rowsOf(view[0], Math.min(c + 1, rows.value)), ink.series[0]!, { ...at, lineStyle: { color: ink.series[0], width: 1.6 } });
  const came = line(`${name} came`, rowsOf(c, Math.min(view[1], values.length)), ink.series[0]!, { ...at, lineStyle: { color: ink.series[0], width: 1.2, opacity: 0.5 } });
  if (!f || !f.predicted.columns[name]) return [history, came];
  const x = f.predicted.columns[name]!.map((_, k) => f.cut + k);
  return [
    ...bandsOf(f, name).flatMap((b) => band(`${name} ${b.level} %`, x, b.low, b.high, ink.series[1]!, b.level === 95 ? 0.14 : 0.18, at)),
    history, came,
    ...Object.entries(f.predicted.baselines ?? {}).flatMap(([word, all], k) =>
      all[name] ? [line(`${name} ${word}`, after(f, all[name]!), ink.muted, { ...at, lineStyle: { color: ink.muted, width: 1, type: k ? "dotted" as const : "dashed" as const } })] : []),
    line(`${name} forecast`, after(f, f.predicted.columns[name]!), ink.series[1]!, { ...at, lineStyle: { color: ink.series[1], width: 2.2 } }),
  ];
}

export function timeOf(row: number): string {
  const times = series.value.time;
  const f = forecast.value;
  return times?.[row] ?? (f ? f.predicted.time?.[row - f.cut] : undefined) ?? (times ? "" : `row ${row + 1}`);
}

const atMidnight = (row: number) => /[T ]00:00/.test(timeOf(row));
const TICKS = 8;

/** Rows that begin a day, thinned; where none does, rows of round numbers. */
function timeTicks(from: number, to: number): number[] {
  const all = Array.from({ length: Math.max(0, Math.min(to, rows.value + horizon.value) - from) }, (_, i) => from + i);
  const days = all.filter(atMidnight), some = days.length >= 3 && days.length < all.length ? days : all.filter((row) => row % roundStep(all.length, TICKS) === 0);
  const step = Math.max(1, Math.ceil(some.length / TICKS));
  return some.filter((_, i) => i % step === 0 && timeOf(some[i]!) !== "");
}

function valuesAt(row: number): string {
  const f = forecast.value, clock = hasClock(series.value.time);
  const parts = shown.value.map((name) => {
    const came = series.value.columns[name]?.[row];
    const told = f?.predicted.columns[name]?.[row - f.cut];
    return `${name} ${came === null || came === undefined ? "–" : plain(came)}${told === undefined ? "" : `, forecast ${plain(told)}`}`;
  });
  return `${dateWords(timeOf(row), clock)}: ${parts.join("; ")}`;
}

export function truthOf(name: string, from: number, steps: number): (number | null)[] {
  const values = series.value.columns[name]!;
  return Array.from({ length: steps }, (_, i) => values[from + i] ?? null);
}

function scoreOf(f: Shown, name: string) {
  const own = f.predicted.columns[name];
  if (!own) return null;
  const baselines = Object.fromEntries(Object.entries(f.predicted.baselines ?? {}).flatMap(([word, all]) => (all[name] ? [[word, all[name]!]] : [])));
  return score({ forecast: own, ...baselines }, truthOf(name, f.cut, own.length));
}

/** The frame that the command and Python give: a row a step, lo and hi for each level. */
export function frameOf(f: Shown): Column[] {
  const steps = Math.max(...Object.values(f.predicted.columns).map((v) => v.length), 0);
  return [
    { name: "time", values: Array.from({ length: steps }, (_, i) => f.predicted.time?.[i] ?? timeOf(f.cut + i)) },
    ...Object.entries(f.predicted.columns).flatMap(([name, values]): Column[] => [
      { name, values },
      ...bandsOf(f, name).reverse().flatMap((b) => [{ name: `${name}-lo-${b.level}`, values: b.low }, { name: `${name}-hi-${b.level}`, values: b.high }]),
    ]),
  ];
}

/** Behind the end of a file there may be no time to tell. */
export const cutWords = (row: number) => dateWords(timeOf(row), hasClock(series.value.time)) || "the end of the file";

const clampCut = (x: number) => Math.max(cutRange.value[0], Math.min(cutRange.value[1], Math.round(x)));

function notCompared(f: Shown, names: string[]): string {
  if (names.some((name) => name in f.predicted.columns)) return "After the end of the file: nothing has come yet to compare with.";
  return `The model does not forecast ${names.join(", ")}; it forecasts ${Object.keys(f.predicted.columns).slice(0, 6).join(", ")}.`;
}

export function ForecastChart() {
  const f = forecast.value, names = shown.value, c = choices.now.value, at = cut.value, s = series.value;
  const hovered = useSignal<number | null>(null);
  const held = useSignal<[number, number] | null>(null);
  const [from, to] = held.value ?? viewOf(at, c.span);
  const clock = hasClock(series.value.time);
  const draw = useMemo(() => (_: Size, ink: Ink) => ({
    ...base(ink),
    grid: names.map((_, i) => ({ left: 58, right: 14, top: TOP + i * HEIGHT, height: HEIGHT - TOP - BOTTOM - 8 })),
    xAxis: names.map((_, i) => {
      const x = linear(ink, { gridIndex: i, min: from, max: to, ticks: timeTicks(from, to), labels: (v) => dateWords(timeOf(v), clock && !atMidnight(v), !clock) });
      // Labels of the ends would be cut.
      return { ...x, axisLabel: { ...x.axisLabel, showMinLabel: false, showMaxLabel: false } };
    }),
    yAxis: names.map((name, i) => ({
      ...linear(ink, { gridIndex: i, split: 4, labels: (v) => plain(v, 3) }), name, nameLocation: "end" as const, nameGap: 10,
      nameTextStyle: { color: ink.text, fontSize: 12, fontWeight: 600, align: "left" as const },
    })),
    series: names.flatMap((name, i) => columnSeries(ink, name, i, [from, to], f)),
  }), [f, names, from, to, at, clock, s]);

  const scores = f ? names.flatMap((name) => {
    const s = scoreOf(f, name);
    return s ? [{ name, s }] : [];
  }) : [];
  const verdict = scores.map(({ name, s }) => `${scores.length > 1 ? `${name}: off` : "Off"} by ${plain(s.mae.forecast, 3)} on average${beats(s).map((b) => `, ${b}`).join("")}.`).join(" ");
  const keys: Key[] = [
    { label: "history, and what came", series: 0 }, ...(f ? [{ label: "forecast", series: 1 }] : []), ...(f?.predicted.bands ? [{ label: "80 and 95 %", series: 1, form: "band" as const }] : []),
    ...Object.keys(f?.predicted.baselines ?? {}).map((label, i) => ({ label, series: -1, form: i ? ("dotted" as const) : ("dashed" as const) })),
  ];
  const row = hovered.value ?? c.pinned;
  const move = (x: number) => change("moved the cut-off", { cut: clampCut(x) }, true);
  const dragged = (x: number) => move(Math.max(from, Math.min(to, x)));
  const inView = (x: number | null) => (x !== null && x >= from && x <= to ? x : null);
  return (
    <>
      <Chart
        title="Forecast from the cut-off" name="forecast" draw={draw} height={HEIGHT * names.length} keys={keys} columns={f ? frameOf(f) : []}
        summary={verdict || "No truth to compare with at this cut-off."}
        readout={row !== null ? valuesAt(row) : "Drag the line through the past. Click to pin a moment and read it."}
        sweeping={{
          at: inView(at), label: cutWords(at), pinned: inView(c.pinned), drag: dragged,
          hold: (holds) => (held.value = holds ? [from, to] : null),
          hover: (x) => (hovered.value = x === null ? null : Math.max(0, Math.min(rows.value + horizon.value - 1, Math.round(x)))),
          pin: (x) => change("pinned a moment", { pinned: Math.round(x) === c.pinned ? null : Math.round(x) }),
        }}
      />
      <label class="cut-range">
        <span>Cut-off <b>{cutWords(at)}</b></span>
        <input
          type="range" min={cutRange.value[0]} max={cutRange.value[1]} value={at} aria-valuetext={`${cutWords(at)}. ${verdict}`}
          onInput={(e) => move(Number(e.currentTarget.value))}
        />
      </label>
      <p class="verdict-line" aria-live="off">{verdict || (f ? notCompared(f, names) : "")}</p>
    </>
  );
}
