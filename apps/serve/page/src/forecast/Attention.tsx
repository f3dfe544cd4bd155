// Whom the network looks at for the forecast that is shown: a heat map of its inputs, layer by layer. It follows the cut-off as the forecast does.
import { signal, useSignal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { AttentionMap, PredictRequest } from "../api";
import { inWords, post } from "../base/client";
import type { Column } from "../base/csv";
import { newestWins } from "../base/live";
import { percent } from "../base/units";
import { Chart } from "../chart/Chart";
import type { Ink } from "../chart/ink";
import { base, points, type Size } from "../chart/parts";
import { Fault, Working } from "../shell/Working";
import { mostLookedAt } from "./attended";
import { forecast } from "./live";
import { choices, showLayer } from "./state";

const maps = signal<AttentionMap[] | null>(null);
const fault = signal("");

const ask = (request: PredictRequest, stop: AbortSignal) => {
  const { level: _, ...same } = request;
  return post<{ attention: AttentionMap[] }>("api/v1/forecast/attention", same, stop);
};

function useMaps() {
  const f = forecast.value;
  const [live] = useState(() => newestWins(ask, ({ attention }) => {
    maps.value = attention;
    fault.value = "";
  }, (reason) => {
    maps.value = null;
    fault.value = inWords(reason);
  }));
  useEffect(() => {
    if (f) live.ask(f.request);
  }, [f]);
  useEffect(() => () => live.stop(), []);
}

const SIDE = 26, WIDEST = 110, TOP = 8, LEFT = 150;
/** Under the cells: names that lie, and names that stand. */
const below = (stand: boolean) => (stand ? 138 : 50);
const shortened = (name: string) => (name.length > 20 ? `${name.slice(0, 19)}…` : name);

function HeatMap({ of }: { of: AttentionMap }) {
  const hovered = useSignal<number | null>(null);
  const { names, weights, left } = useMemo(() => mostLookedAt(of), [of]);
  const n = names.length;
  const most = Math.max(...weights.flat(), 1e-9), least = Math.min(...weights.flat());
  const cells = useMemo(() => weights.flatMap((row, i) => row.map((w, j) => ({ i, j, w }))), [weights]);
  const stands = n > 6 || innerWidth < 560, bottom = below(stands);
  const draw = useMemo(() => (at: Size, ink: Ink) => {
    const side = [Math.min(WIDEST, (at.width - LEFT - 14) / n), SIDE] as const;
    const axis = { type: "category" as const, data: names.map(shortened), axisLine: { lineStyle: { color: ink.faint } }, axisTick: { show: false }, splitLine: { show: false } };
    const label = { color: ink.muted, fontSize: 11, interval: 0 };
    return {
      ...base(ink), grid: [{ outerBoundsMode: "none" as const, left: LEFT, width: side[0] * n, top: TOP, height: SIDE * n }],
      xAxis: [{ ...axis, name: "looks at", nameLocation: "middle" as const, nameGap: bottom - 18, nameMoveOverlap: false, nameTextStyle: { color: ink.muted, fontSize: 12 }, axisLabel: { ...label, rotate: stands ? 60 : 0 } }],
      yAxis: [{ ...axis, inverse: true, axisLabel: label }],
      series: [points("attention", [], ink.series[0]!, {
        symbol: "rect", symbolSize: side.map((v) => Math.max(1, v - 1)),
        data: cells.map(({ i, j, w }) => ({ value: [j, i, w], itemStyle: { color: ink.series[0], borderWidth: 0, opacity: most > least ? 0.05 + 0.95 * ((w - least) / (most - least)) : 0.5 } })),
      })],
    };
  }, [cells, names, least, most, stands]);
  const marks = useMemo(() => cells.map(({ i, j }, index) => ({ index, grid: 0, x: j, y: i })), [cells]);
  const words = (k: number) => `${names[cells[k]!.i]} looks at ${names[cells[k]!.j]} with ${percent(cells[k]!.w)}`;
  const columns: Column[] = [{ name: "looks", values: of.tokens }, ...of.tokens.map((name, j) => ({ name, values: of.weights.map((row) => row[j]!) }))];
  const strongest = cells.reduce((best, cell, k) => (cell.w > cells[best]!.w ? k : best), 0);
  return (
    <Chart
      title="Attention" name={`attention-${of.model}-layer-${of.layer}`} height={TOP + bottom + SIDE * n} draw={draw} columns={columns}
      summary={`The strongest: ${words(strongest)}.`}
      readout={hovered.value !== null ? words(hovered.value) : `A row says whom an input looks at; its shares add up to 1. From ${percent(least)}, pale, to ${percent(most)}, strong.${left ? ` Of ${of.tokens.length} these ${n} are looked at most; the table has all.` : ""}`}
      picking={{ marks, count: cells.length, stride: n, hovered, words, idle: "no cell; arrow keys go along them", toggle: null }}
    />
  );
}

export function Attention() {
  useMaps();
  const all = maps.value, layer = choices.now.value.layer;
  const of = all?.[layer - 1] ?? all?.[all.length - 1];
  const several = new Set(all?.map((m) => m.model)).size > 1;
  return (
    <>
      {!forecast.value && <p class="quiet">There is no forecast to look at.</p>}
      {forecast.value && !all && !fault.value && <Working what="asking whom the network looks at" />}
      {fault.value && <Fault what={fault.value} />}
      {all && all.length > 1 && (
        <div class="row segmented" role="group" aria-label="Layer">
          {all.map((m, i) => (
            <button key={i} aria-pressed={m === of} onClick={() => showLayer(i + 1)}>{several ? `${m.model}, ` : ""}layer {m.layer}</button>
          ))}
        </div>
      )}
      {of && <HeatMap of={of} />}
      {of && <p class="quiet">Attention says where a layer looks, not what comes of it. What carries the forecasts: <code>tidemill forecast explain</code>.</p>}
    </>
  );
}
