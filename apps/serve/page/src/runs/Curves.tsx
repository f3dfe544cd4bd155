// Losses over steps, one run over the other; those of runs that go on grow.
import { useMemo } from "preact/hooks";
import type { Job } from "../api";
import { say } from "../base/address";
import { plain } from "../base/units";
import type { Column } from "../base/csv";
import { Chart, type Key } from "../chart/Chart";
import type { Ink } from "../chart/ink";
import { base, line, linear, logarithmic, type Size } from "../chart/parts";
import { logRange } from "../chart/scale";
import { smoothed } from "./curves";
import { logScale, metrics, names, smoothing } from "./state";

const LOSSES = ["loss", "train_loss"], CHECKS = ["val_loss"], STEPS = ["step", "steps", "epoch"];
/** So few points are shown as such: a line through one would be none. */
const FEW = 12, MARKED = { showSymbol: true, symbol: "circle", symbolSize: 6 };
const lastOf = (values: (number | null)[]) => values.reduceRight<number | null>((found, v) => found ?? v, null);
const first = (all: Record<string, (number | null)[]>, names: string[]) => names.map((n) => all[n]).find((v) => v?.some((x) => x !== null));

export function Curves({ jobs }: { jobs: Job[] }) {
  const all = metrics.value, called = names.value, log = logScale.value, share = smoothing.value;
  const ids = jobs.map((j) => j.id).join(",");
  const found = useMemo(() => ids.split(",").flatMap((id, i) => {
    const own = all[id];
    const loss = own && first(own, LOSSES);
    if (!own || !loss) return [];
    return [{ id, i, steps: first(own, STEPS) ?? loss.map((_, k) => k), loss, check: first(own, CHECKS) }];
  }), [all, ids]);
  const draw = useMemo(() => (_: Size, ink: Ink) => {
    const xy = (steps: (number | null)[], values: (number | null)[]) =>
      steps.map((s, k) => [s, values[k] ?? null]).filter(([, v]) => v !== null && (!log || v! > 0)) as number[][];
    const series = found.flatMap(({ id, i, steps, loss, check }) => {
      const colour = ink.series[i % ink.series.length]!;
      const faint = share > 0 ? [line(`${id} as it was`, xy(steps, loss), colour, { lineStyle: { color: colour, width: 1, opacity: 0.25 } })] : [];
      return [
        ...faint, line(id, xy(steps, smoothed(loss, share)), colour, loss.length <= FEW ? MARKED : {}),
        ...(check ? [line(`${id} validation`, xy(steps, check), colour, { ...MARKED, lineStyle: { color: colour, width: 1.5, type: "dashed" as const } })] : []),
      ];
    });
    const y = logRange(series.flatMap((s) => s.data.map((p) => p[1]!)));
    return {
      ...base(ink), grid: [{ left: 62, right: 14, top: 10, bottom: 44 }], xAxis: [linear(ink, { name: "step", labels: (v) => plain(v, 3) })],
      yAxis: [log ? { ...logarithmic(ink, { name: "loss", gap: 46, ...y }), axisLabel: { color: ink.muted, fontSize: 11, formatter: (v: number) => plain(v, 2) } } : linear(ink, { name: "loss", gap: 46, labels: (v) => plain(v, 3) })],
      series,
    };
  }, [found, log, share]);
  const keys: Key[] = [
    ...found.map(({ id, i }) => ({ label: called[id] ?? id, series: i % 8 })), ...(found.some((f) => f.check) ? [{ label: "validation", series: -1, form: "dashed" as const }] : []),
  ];
  const columns: Column[] = found.flatMap(({ id, steps, loss, check }) => [
    { name: `${called[id]}: step`, values: steps }, { name: `${called[id]}: loss`, values: loss }, ...(check ? [{ name: `${called[id]}: validation`, values: check }] : []),
  ]);
  if (!found.length) return <p class="quiet">No curves yet: the first losses draw them.</p>;
  return (
    <Chart title="Loss" name="loss" draw={draw} height={340} keys={keys} columns={columns} summary={found.map(({ id, loss }) => `${called[id]} is at ${plain(lastOf(loss))}`).join(", ")}>
      <div class="row">
        <label><input type="checkbox" checked={log} onChange={(e) => say({ log: e.currentTarget.checked ? "1" : "" })} /> logarithmic</label>
        <label class="row">smoothing <input type="range" min="0" max="0.98" step="0.02" value={share} onInput={(e) => say({ smooth: Number(e.currentTarget.value) ? e.currentTarget.value : "" })} /> <output>{share.toFixed(2)}</output></label>
      </div>
    </Chart>
  );
}
