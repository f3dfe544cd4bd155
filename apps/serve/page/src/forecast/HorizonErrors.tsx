// How the error grows with the steps ahead: the model asked at cut-offs spread over the past, beside its baselines.
import { useRef, useState } from "preact/hooks";
import { useEffect, useMemo } from "preact/hooks";
import { inWords, isAbort } from "../base/client";
import { plain } from "../base/units";
import { Chart } from "../chart/Chart";
import type { Ink } from "../chart/ink";
import { base, line, linear, type Size } from "../chart/parts";
import { Fault, Working } from "../shell/Working";
import { ByHorizon } from "./errors";
import { truthOf } from "./ForecastChart";
import { lacking, predict, requestAt } from "./live";
import { cutRange, horizon, model, series, shown, table } from "./state";

const CUTS = 24;

/** Evenly over the past, with the whole horizon behind each. */
export function cutsOver(low: number, high: number, most: number): number[] {
  if (high < low) return [];
  const n = Math.min(most, high - low + 1);
  return Array.from({ length: n }, (_, i) => Math.round(n === 1 ? high : low + ((high - low) * i) / (n - 1)));
}

export function HorizonErrors() {
  const [done, setDone] = useState<number | null>(null);
  const [found, setFound] = useState<{ column: string; means: Record<string, (number | null)[]>; cuts: number } | null>(null);
  const [fault, setFault] = useState("");
  const control = useRef<AbortController | null>(null);
  const m = model.value, t = table.value, column = shown.value.find((name) => m?.targets.includes(name)) ?? m?.targets[0] ?? "";
  useEffect(() => {
    setFound(null);
    return () => control.current?.abort();
  }, [m, t, column]);
  const cuts = useMemo(() => cutsOver(cutRange.value[0], cutRange.value[1] - horizon.value, CUTS), [m, t]);
  const draw = useMemo(() => (_: Size, ink: Ink) => ({
    ...base(ink), grid: [{ left: 58, right: 14, top: 10, bottom: 44 }],
    xAxis: [linear(ink, { name: "steps ahead", min: 1, max: horizon.value, labels: (v) => (Number.isInteger(v) ? String(v) : "") })],
    yAxis: [linear(ink, { name: "mean absolute error", gap: 44, labels: (v) => plain(v, 3) })],
    series: Object.entries(found?.means ?? {}).map(([name, means], i) => {
      const own = name === "forecast", colour = own ? ink.series[1]! : ink.muted;
      return line(name, means.map((v, k) => [k + 1, v]), colour, { lineStyle: { color: colour, width: own ? 2.2 : 1.2, type: own ? "solid" as const : i % 2 ? "dashed" as const : "dotted" as const } });
    }),
  }), [found]);
  if (!m || !t || lacking(m, t).length) return null;

  const run = async () => {
    const mine = (control.current = new AbortController());
    const sums = new ByHorizon();
    setFault("");
    try {
      for (const [i, at] of cuts.entries()) {
        setDone(i);
        const request = requestAt(m, series.value, at);
        if (!request) continue;
        const p = await predict(request, at, mine.signal);
        const own = p.columns[column];
        if (!own) continue;
        const truth = truthOf(column, at, own.length);
        sums.add("forecast", own, truth);
        for (const [name, all] of Object.entries(p.baselines ?? {})) if (all[column]) sums.add(name, all[column]!, truth);
      }
      setFound({ column, means: sums.means(), cuts: cuts.length });
    } catch (reason) {
      if (!isAbort(reason)) setFault(inWords(reason));
    }
    setDone(null);
  };
  return (
    <section class="horizon-errors">
      {!found && (
        <p class="row">
          <button class="plain" disabled={done !== null || !cuts.length} onClick={run}>Error by horizon</button>
          <span class="quiet">{cuts.length ? `forecasts ${column} from ${cuts.length} moments of the past` : "the file is too short: a whole horizon must have come after a whole look-back"}</span>
        </p>
      )}
      {done !== null && <Working what={`forecasting from moment ${done + 1} of ${cuts.length}`} done={done} of={cuts.length} />}
      {fault && <Fault what={fault} />}
      {found && (
        <Chart
          title={`Error of ${found.column} by horizon`} name="error-by-horizon" draw={draw} height={260}
          keys={Object.keys(found.means).map((label, i) => ({ label, series: label === "forecast" ? 1 : -1, form: label === "forecast" ? "line" as const : i % 2 ? "dashed" as const : "dotted" as const }))}
          columns={[{ name: "steps ahead", values: (found.means.forecast ?? []).map((_, i) => i + 1) }, ...Object.entries(found.means).map(([name, values]) => ({ name, values }))]}
          summary={`Mean absolute error over ${found.cuts} cut-offs, from one step ahead to ${horizon.value}.`} readout={`Over ${found.cuts} moments of the past; the model may have been trained on some of them.`}
        />
      )}
    </section>
  );
}
