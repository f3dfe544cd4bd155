// The answer in figures: what the spectrum determines first, then what is missing, then what speaks against it.
import type { Completion } from "../api";
import { serviceAddress, token } from "../base/client";
import { completeRecipe } from "../base/recipes";
import { duration, percent, plain, withUnit } from "../base/units";
import { Copied, CopyAs } from "../shell/CopyAs";
import { Fault, Working } from "../shell/Working";
import { answered, doing, fault } from "./answers";
import { Narrowing } from "./Narrowing";
import { change, choices, showCandidate } from "./state";
import { candidate } from "./view";
import { intervalWords, unitOf } from "./words";

function Main({ name, what, value, unit, interval, extra }: { name: string; what: string; value: number | null; unit: string; interval: string; extra?: string }) {
  return (
    <div class="headline">
      <span class="name">{name} <span class="quiet">{what}</span></span>
      <Copied text={withUnit(value, unit)} label={name} />
      <span class="quiet">{interval}{extra ? ` · ${extra}` : ""}</span>
    </div>
  );
}

function Row({ name, c }: { name: string; c: Completion }) {
  const median = c.medians[name as keyof typeof c.medians];
  const open = c.identifiable[name as keyof typeof c.identifiable] === false;
  const bound = c.bound_hits[name];
  return (
    <tr>
      <th scope="row">{name}</th>
      <td><Copied text={withUnit(median ?? null, unitOf(name))} label={name} /></td>
      <td>{intervalWords(c, name)}</td>
      <td class="word">{open ? "open" : "determined"}{bound ? `, at its ${bound === "low" ? "lower" : "upper"} limit` : ""}</td>
    </tr>
  );
}

function Candidates({ c }: { c: Completion }) {
  const known = choices.now.value.known, picked = candidate.value;
  const apply = (i: number) => {
    const told = Object.fromEntries(c.missing_params.map((name) => [name, String(Number(Number(c.top_k_predictions[i]![name]).toPrecision(4)))]));
    change(`candidate ${i + 1} as known`, { known: { ...known, ...told } });
  };
  return (
    <details>
      <summary>{c.top_k_predictions.length} candidates</summary>
      <div class="scroll">
        <table>
          <thead><tr><th scope="col">rank</th>{c.missing_params.map((n) => <th key={n} scope="col">{n}</th>)}<th scope="col">probability</th><th scope="col"><span class="away">what to do</span></th></tr></thead>
          <tbody>
            {c.top_k_predictions.map((p, i) => (
              <tr key={p.rank} class={i === picked ? "chosen" : undefined}>
                <td>{p.rank}</td>
                {c.missing_params.map((n) => <td key={n}>{withUnit(Number(p[n]), unitOf(n))}</td>)}
                <td>{percent(p.joint_probability)}</td>
                <td class="row tight"><button class="text" aria-pressed={i === picked} onClick={() => showCandidate(i)} aria-label={`Show candidate ${p.rank}`}>{i === picked ? "shown" : "show"}</button><button class="text" onClick={() => apply(i)} aria-label={`Take candidate ${p.rank} as known`}>take as known</button></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

const METHOD: Record<Completion["method"], string> = { exact: "exact on the grid", refined: "refined", network: "of the network" };

export function Answer() {
  const a = answered.value;
  if (!a) return doing.value ? <Working what={doing.value} /> : fault.value ? <Fault what={fault.value} /> : null;
  const c = a.completion, area = a.request.spectrum?.area_cm2;
  const perArea = area && c.ter_ohm ? `${plain(c.ter_ohm * area, 3)} Ω·cm²` : undefined;
  return (
    <section class="answer" aria-labelledby="answer" aria-live="polite">
      <h2 id="answer">Answer</h2>
      <p class="chips">
        <span class="chip">{METHOD[c.method]}, {duration(a.ms / 1000)}</span>
        {doing.value && <span class="chip busy">{doing.value}</span>}
        {c.noise !== null && <span class="chip">noise {percent(c.noise)}</span>}
        {c.circuit_adequate === false && <span class="chip bad">the circuit does not fit</span>}
        {c.circuit_adequate && <span class="chip good">the circuit fits</span>}
      </p>
      {fault.value && <Fault what={fault.value} />}
      <div class="headlines">
        <Main name="TER" what="resistance" value={c.ter_ohm} unit="Ω" interval={intervalWords(c, "TER")} extra={perArea} />
        <Main name="TEC" what="capacitance" value={c.tec_farad} unit="F" interval={intervalWords(c, "TEC")} />
      </div>
      {c.missing_params.length > 0 && (
        <div class="scroll">
          <table class="parameters">
            <caption class="away">The parameters that were not known</caption>
            <thead><tr><th scope="col">open</th><th scope="col">median</th><th scope="col">95 %</th><th scope="col">by the spectrum</th></tr></thead>
            <tbody>{c.missing_params.map((name) => <Row key={name} name={name} c={c} />)}</tbody>
          </table>
        </div>
      )}
      <Narrowing answered={a} />
      {[...(c.warnings ?? []), ...c.notes].length > 0 && <ul class="notes">{[...(c.warnings ?? []), ...c.notes].map((n) => <li key={n}>{n}</li>)}</ul>}
      {c.missing_params.length > 0 && <Candidates c={c} />}
      <CopyAs recipe={() => completeRecipe(a.request, serviceAddress(), !!token.value)} what="Copy this answer as" />
    </section>
  );
}
