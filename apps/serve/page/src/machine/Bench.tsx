// `tidemill bench` as a job, its cases beside the rate at which this machine multiplies matrices.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { BenchResult, Job } from "../api";
import { writeAddress } from "../base/address";
import { follow, get, inWords, post } from "../base/client";
import { percent, plain } from "../base/units";
import { Chart } from "../chart/Chart";
import type { Ink } from "../chart/ink";
import { base, linear, type Size } from "../chart/parts";
import { Fault, Working } from "../shell/Working";

const CASES: [string, string][] = [["etth1", "a small forecaster, a second or two"], ["etth1,m1,eis512", "three usual models"], ["etth1,m1,ecl,traffic,eis512,eis8192", "all usual models, a minute and more"]];

export function Bench({ roof }: { roof: number | null }) {
  const [cases, setCases] = useState(CASES[0]![0]);
  const [doing, setDoing] = useState("");
  const [fault, setFault] = useState("");
  const [job, setJob] = useState<Job | null>(null);
  const [result, setResult] = useState<BenchResult | null>(null);
  const control = useRef(new AbortController());
  useEffect(() => () => control.current.abort(), []);

  const ended = async (id: string) => {
    const last = await get<Job>(`api/v1/jobs/${id}`);
    setJob(last);
    if (last.state === "done") setResult(await get<BenchResult>(`api/v1/jobs/${id}/result`));
    else setFault(`The bench is ${last.state}${last.message ? `: ${last.message}` : ""}.`);
  };
  const run = async () => {
    setFault("");
    setResult(null);
    try {
      setDoing("starting the bench");
      const begun = await post<Job>("api/v1/jobs", { command: "bench", options: { cases, seconds: 1 } });
      setJob(begun);
      setDoing("timing training and answering");
      await follow(`api/v1/jobs/${begun.id}/events`, (e) => {
        const told = e.event === "progress" ? (JSON.parse(e.data) as { stage?: string }) : {};
        if (told.stage) setDoing(`timing ${told.stage}`);
      }, control.current.signal);
      if (!control.current.signal.aborted) await ended(begun.id);
    } catch (reason) {
      setFault(inWords(reason));
    }
    setDoing("");
  };
  const rows = useMemo(() => (result?.cases ?? []).filter((c) => c.gflops !== null), [result]);
  const draw = useMemo(() => (_: Size, ink: Ink) => {
    const x = linear(ink, { name: "GFLOP/s", min: 0, labels: (v) => plain(v, 3) });
    const names = rows.map((c) => `${c.case}, ${c.precision}`);
    const top = Math.max(roof ?? 0, ...rows.map((c) => Math.max(c.gflops ?? 0, c.roof_gflops ?? 0)));
    const y = { type: "category" as const, data: names, inverse: true, axisLine: { lineStyle: { color: ink.faint } }, axisTick: { show: false }, axisLabel: { color: ink.text, fontSize: 12 } };
    return {
      ...base(ink), grid: [{ left: 110, right: 20, top: 8, bottom: 44 }], xAxis: [{ ...x, max: 1.05 * top, axisLabel: { ...x.axisLabel, showMaxLabel: false } }], yAxis: [y],
      series: [
        { type: "bar" as const, id: "roof", silent: true, barWidth: 22, barGap: "-100%", itemStyle: { color: "transparent", borderColor: ink.faint, borderType: "dashed" as const }, data: rows.map((c) => c.roof_gflops ?? roof ?? 0) },
        { type: "bar" as const, id: "reached", silent: true, barWidth: 22, itemStyle: { color: ink.series[0] }, data: rows.map((c) => c.gflops!) },
      ],
    };
  }, [rows, roof]);
  return (
    <section aria-labelledby="bench">
      <h2 id="bench">How near a model comes to it</h2>
      <form class="row" onSubmit={(e) => (e.preventDefault(), void run())}>
        <label>Time <select value={cases} onChange={(e) => setCases(e.currentTarget.value)}>{CASES.map(([id, word]) => <option key={id} value={id}>{word}</option>)}</select></label>
        <button class="plain" disabled={!!doing}>Run the bench</button>
        {job && <a href={writeAddress({ screen: "runs", query: { ids: job.id } })}>its run</a>}
      </form>
      {doing && <Working what={doing} />}
      {fault && <Fault what={fault} />}
      {result && rows.length > 0 && (
        <Chart
          title="Training steps beside the roof" name="bench" height={60 + 44 * rows.length} draw={draw}
          keys={[{ label: "reached", series: 0, form: "band" }, { label: "roof: products of matrices alone", series: -1, form: "dashed" }]}
          columns={[
            { name: "case", values: rows.map((c) => c.case) }, { name: "precision", values: rows.map((c) => c.precision) }, { name: "step", unit: "ms", values: rows.map((c) => c.step_ms) },
            { name: "answer p50", unit: "ms", values: rows.map((c) => c.infer_p50_ms) }, { name: "reached", unit: "GFLOP/s", values: rows.map((c) => c.gflops) },
            { name: "roof", unit: "GFLOP/s", values: rows.map((c) => c.roof_gflops) },
          ]}
          summary={rows.map((c) => `${c.case} reaches ${percent(c.roof_share)} of the roof`).join(", ")} readout={rows.map((c) => `${c.case} ${percent(c.roof_share)}, step ${plain(c.step_ms, 3)} ms`).join(" · ")}
        />
      )}
      {result && <ul class="notes">{[...new Set(result.cases.flatMap((c) => c.optimization_recommendations ?? []))].map((n) => <li key={n}>{n}</li>)}</ul>}
    </section>
  );
}
