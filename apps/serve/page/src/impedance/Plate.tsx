// Many spectra as the plate they came from: a well each, coloured by its resistance or by the verdict on its data. A well that is left out keeps its reason.
import { computed, effect, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Checked, Completion, Spectrum } from "../api";
import { inWords, isAbort, post, Refused } from "../base/client";
import { toCsv } from "../base/csv";
import { saveFile } from "../base/save";
import { withUnit } from "../base/units";
import { Working } from "../shell/Working";
import { change, choices, dataName, wells } from "./state";
import { layoutOf, rowName } from "./wells";

interface Told {
  ter: number | null;
  verdict: string;
  why: string;
  /** Between the grid's values. */
  refined: boolean;
}

const told = signal<Record<number, Told>>({});
const AT_ONCE = 2;

/** The data were refused, not the service too busy. */
const isUnfit = (r: PromiseSettledResult<unknown>) => r.status === "rejected" && r.reason instanceof Refused && r.reason.problem.status === 422;

async function askWell(spectrum: Spectrum, stop: AbortSignal): Promise<Told> {
  const [answer, check] = await Promise.allSettled([
    post<Completion>("api/v1/eis/complete", { spectrum, options: { method: "exact" } }, stop),
    post<Checked | { spectra: Checked[] }>("api/v1/eis/check", { spectrum }, stop),
  ]);
  const checked = check.status === "fulfilled" ? ("spectra" in check.value ? check.value.spectra[0] : check.value) : undefined;
  const faults = [check, answer].flatMap((r) => (r.status === "rejected" ? [inWords(r.reason)] : []));
  return {
    ter: answer.status === "fulfilled" ? answer.value.ter_ohm : null, verdict: checked?.verdict ?? (isUnfit(check) ? "unfit" : ""),
    why: [...(checked?.faults.map((f) => f.message) ?? []), ...faults].join("; "), refined: false,
  };
}

/** Between the grid's values; what cannot be refined keeps what it has. */
async function refineWell(spectrum: Spectrum, now: Told, stop: AbortSignal): Promise<Told> {
  if (now.ter === null) return { ...now, refined: true };
  try {
    const { ter_ohm } = await post<Completion>("api/v1/eis/complete", { spectrum, options: { method: "refined" } }, stop);
    return { ...now, ter: ter_ohm ?? now.ter, refined: true };
  } catch (reason) {
    if (isAbort(reason)) throw reason;
    return { ...now, refined: true };
  }
}

function startPlate(): () => void {
  let control = new AbortController();
  const stop = effect(() => {
    control.abort();
    control = new AbortController();
    told.value = {};
    const all = wells.value, mine = control.signal;
    const pass = async (work: (i: number) => Promise<Told>) => {
      let next = 0;
      const worker = async () => {
        while (next < all.length && !mine.aborted) {
          const i = next++, found = await work(i);
          if (!mine.aborted) told.value = { ...told.peek(), [i]: found };
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    };
    const both = async () => {
      await pass((i) => askWell(all[i]!.spectrum, mine));
      if (!mine.aborted) await pass((i) => refineWell(all[i]!.spectrum, told.peek()[i]!, mine));
    };
    if (all.length > 1) both().catch((reason) => {
      if (!isAbort(reason)) throw reason;
    });
  });
  return () => (stop(), control.abort());
}

const layout = computed(() => layoutOf(wells.value.map((w) => w.name)));
const range = computed(() => {
  const found = Object.entries(told.value).filter(([i, t]) => t.ter !== null && t.ter > 0 && !choices.now.value.left[Number(i)]).map(([, t]) => t.ter!);
  return found.length ? [Math.min(...found), Math.max(...found)] as const : null;
});

/** 0 (least) to 1 of the plate's resistances, in the logarithm. */
function shade(ter: number): number {
  const [low, high] = range.value ?? [1, 10];
  return high / low < 1.001 ? 0.5 : Math.log(ter / low) / Math.log(high / low);
}

const VERDICT_MARK: Record<string, string> = { sound: "", flawed: "?", unfit: "!" };

function WellButton({ i, by }: { i: number; by: "ter" | "verdict" }) {
  const w = wells.value[i]!, t = told.value[i], c = choices.now.value, left = c.left[i];
  const colour = !t || left ? {} : by === "ter" && t.ter !== null ? { "--share": String(shade(t.ter)) } : {};
  const form = left ? "left" : !t || (by === "verdict" && !t.verdict) ? "waiting" : by === "ter" ? (t.ter === null ? "unfit" : "ter") : t.verdict;
  const words = [w.name, t ? `TER ${withUnit(t.ter, "Ω")}` : "not answered yet", t?.verdict, left ? `left out: ${left}` : ""].filter(Boolean).join(", ");
  return (
    <button class={`well ${form}`} style={colour} aria-pressed={c.at === i} title={words} onClick={() => choices.show({ ...c, at: i })}>
      <span class="away">{words}</span>
      <span aria-hidden="true">{left ? "×" : by === "verdict" && t ? VERDICT_MARK[t.verdict] ?? "?" : t?.ter ? withUnit(t.ter, "", t.ter < 1000 ? 3 : 2) : ""}</span>
    </button>
  );
}

function LeaveOut() {
  const c = choices.now.value, w = wells.value[c.at], left = c.left[c.at];
  const [why, setWhy] = useState("");
  useEffect(() => setWhy(""), [c.at]);
  if (!w) return null;
  if (left)
    return (
      <p class="row">
        <span><b>{w.name}</b> is left out: {left}</span>
        <button class="plain" onClick={() => {
          const { [c.at]: _, ...rest } = c.left;
          change(`took ${w.name} in again`, { left: rest });
        }}>Take it in again</button>
      </p>
    );
  return (
    <form class="row" onSubmit={(e) => {
      e.preventDefault();
      if (why.trim()) change(`left ${w.name} out`, { left: { ...c.left, [c.at]: why.trim() } });
    }}>
      <label for="why">Leave <b>{w.name}</b> out, because</label>
      <input id="why" value={why} placeholder={told.value[c.at]?.why || "the insert leaked"} onInput={(e) => setWhy(e.currentTarget.value)} />
      <button class="plain" disabled={!why.trim()}>Leave it out</button>
    </form>
  );
}

function savePlate(): void {
  const all = wells.value.map((_, i) => i);
  const of = <K extends keyof Told>(key: K) => all.map((i) => told.value[i]?.[key] as Told[K] | undefined);
  saveFile("plate.csv", toCsv([
    { name: "well", values: wells.value.map((w) => w.name) }, { name: "file", values: wells.value.map((w) => w.file) },
    { name: "TER", unit: "ohm", values: of("ter") }, { name: "verdict", values: of("verdict") }, { name: "faults", values: of("why") },
    { name: "left out because", values: all.map((i) => choices.now.value.left[i] ?? "") },
  ]), "text/csv");
}

export function Plate() {
  const [by, setBy] = useState<"ter" | "verdict">("ter");
  useEffect(startPlate, []);
  const { at, columns, named } = layout.value, done = Object.keys(told.value).length, total = wells.value.length, refined = Object.values(told.value).filter((t) => t.refined).length;
  const reasons = Object.entries(choices.now.value.left);
  return (
    <section class="plate" aria-labelledby="plate">
      <div class="row between">
        <h2 id="plate">{total} wells</h2>
        <div class="row segmented" role="group" aria-label="Colour by">
          <button aria-pressed={by === "ter"} onClick={() => setBy("ter")}>TER</button>
          <button aria-pressed={by === "verdict"} onClick={() => setBy("verdict")}>verdict</button>
        </div>
        <button class="text" onClick={savePlate}>CSV</button>
      </div>
      {done < total && <Working what={`answering well ${done + 1} of ${total}`} done={done} of={total} />}
      {done === total && refined < total && <Working what={`refining well ${refined + 1} of ${total}`} done={refined} of={total} />}
      <div class="scroll">
        <table class="wells" key={dataName.value}>
          <caption class="away">Wells of the plate{named ? "" : ", in the order in which they came: their names tell of no places"}</caption>
          {named && <thead><tr><td />{Array.from({ length: columns }, (_, k) => <th key={k} scope="col">{k + 1}</th>)}</tr></thead>}
          <tbody>
            {at.map((row, r) => (
              <tr key={r}>
                {named && <th scope="row">{rowName(r)}</th>}
                {row.map((i, k) => <td key={k}>{i === null ? <span class="well none" /> : <WellButton i={i} by={by} />}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {by === "ter" && range.value && (
        <p class="scale"><span>{withUnit(range.value[0], "Ω")}</span><i /><span>{withUnit(range.value[1], "Ω")}</span></p>
      )}
      {by === "verdict" && <p class="scale words"><span class="well sound" /> sound <span class="well flawed">?</span> to be looked at <span class="well unfit">!</span> unfit</p>}
      <LeaveOut />
      {reasons.length > 0 && <ul class="notes">{reasons.map(([i, why]) => <li key={i}><b>{wells.value[Number(i)]?.name}</b> is left out: {why}</li>)}</ul>}
    </section>
  );
}
