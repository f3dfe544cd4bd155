// The machine as the service finds it: each figure with its reason, what was measured, and what of it a training reaches.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Machine } from "../api";
import { advise, advised, SETTABLE } from "../base/advised";
import { serviceAddress, token, get, inWords, send } from "../base/client";
import { copyText } from "../base/save";
import { bytes, duration, plain, withUnit } from "../base/units";
import { Copied, CopyAs } from "../shell/CopyAs";
import { Fault, Working } from "../shell/Working";
import { Bench } from "./Bench";

export function MachineScreen() {
  const [found, setFound] = useState<Machine | null>(null);
  const [doing, setDoing] = useState("asking what this machine is");
  const [fault, setFault] = useState("");
  const control = useRef(new AbortController());
  const ask = async (what: string, work: () => Promise<Machine>) => {
    setDoing(what);
    setFault("");
    try {
      setFound(await work());
    } catch (reason) {
      if (!control.current.signal.aborted) setFault(inWords(reason));
    }
    setDoing("");
  };
  useEffect(() => {
    void ask("asking what this machine is", () => get<Machine>("api/v1/machine", {}, control.current.signal));
    return () => control.current.abort();
  }, []);
  const measure = () => ask("measuring products and memory, for about 2 s", async () =>
    (await send("api/v1/machine/measure", { method: "POST", signal: control.current.signal })).json() as Promise<Machine>);
  return (
    <>
      <div class="heading">
        <div>
          <h1>{found?.machine.model ?? "This machine"}</h1>
          {found && (
            <p class="sentence">
              {found.machine.system}, {found.machine.arch}: {found.machine.usable_cores} of {found.machine.processors} processors may be used, {bytes(found.machine.memory_bytes)} of memory
              {found.machine.memory_limit_bytes ? `, of which this service may use ${bytes(found.machine.memory_limit_bytes)}` : ""}.
            </p>
          )}
        </div>
      </div>
      {doing && <Working what={doing} />}
      {fault && <Fault what={fault} />}
      {found && (
        <>
          <div class="two">
            <Rates m={found} busy={!!doing} measure={measure} />
            <Parts m={found} />
          </div>
          <Advice m={found} />
          <Bench roof={found.rates.gemm_gflops.f32 ?? null} />
        </>
      )}
    </>
  );
}

function Rates({ m, busy, measure }: { m: Machine; busy: boolean; measure: () => void }) {
  const r = m.rates;
  const rows: [string, string][] = [
    ...Object.entries(r.gemm_gflops).filter(([, v]) => v !== null).map(([name, v]): [string, string] => [`products, ${name}`, `${plain(v, 3)} GFLOP/s`]),
    ["memory", `${plain(r.bandwidth_gbs, 3)} GB/s`], ["starting a kernel", withUnit(r.launch_us * 1e-6, "s")],
  ];
  const recipe = {
    command: "tidemill machine --measure", curl: `curl -s -X POST ${token.value ? '-H "Authorization: Bearer $TIDEMILL_TOKEN" ' : ""}${serviceAddress()}api/v1/machine/measure`,
    python: `import json, subprocess\n\nprint(json.loads(subprocess.run(["tidemill", "machine", "--measure", "--json"], capture_output=True, check=True).stdout)["rates"])`,
  };
  return (
    <section aria-labelledby="rates">
      <h2 id="rates">How fast it is</h2>
      <p class="quiet">{r.measured ? `Measured in ${duration(r.took_s)}${r.measured_at ? `, ${r.measured_at.replace("T", " ").replace("Z", " UTC")}` : ""}, with ${r.threads} threads.` : `Estimated from what it is, for ${r.threads} threads: nothing was measured yet.`}</p>
      <dl class="figures">
        {rows.map(([name, text]) => <div key={name}><dt>{name}</dt><dd><Copied text={text} label={name} /></dd></div>)}
      </dl>
      <p class="row"><button class="main" disabled={busy} onClick={measure}>Measure, 2 s</button></p>
      <CopyAs recipe={() => recipe} what="Copy the measurement as" />
    </section>
  );
}

function Parts({ m }: { m: Machine }) {
  const cache = [["first", m.machine.l1d_bytes], ["second", m.machine.l2_bytes], ["third", m.machine.l3_bytes]] as const;
  return (
    <section aria-labelledby="parts">
      <h2 id="parts">What was found</h2>
      <dl class="figures">
        {cache.map(([name, size]) => <div key={name}><dt>{name} cache</dt><dd>{bytes(size)}</dd></div>)}
        <div><dt>instruction sets</dt><dd>{m.machine.instruction_sets.join(", ") || "the least"}</dd></div>
        {m.products.map((p) => <div key={p.name}><dt>products by {p.name}</dt><dd>{p.used ? `yes${p.version ? `, ${p.version}` : ""}` : `no: ${p.why ?? "not used"}`}</dd></div>)}
        {m.device_info.map((d) => <div key={d.name}><dt>device {d.name}</dt><dd>{d.there ? <>{d.name === m.device ? "yes, the usual one" : "yes"} <span class="quiet">{d.hardware}</span></> : <span class="quiet">no: {d.why}</span>}</dd></div>)}
      </dl>
    </section>
  );
}

const shown = (name: string, value: string | number) => (name === "memory" && typeof value === "number" ? bytes(value) : String(value));

/** As an option of a command line: those of the impedance commands have the name without "eis-", memory is a limit. */
function onLine(name: string, value: string | number): string {
  if (name === "memory") return `--memory-limit-mib ${Math.floor(Number(value) / 2 ** 20)}`;
  return `--${name.replace(/^eis-/, "")} ${value}`;
}

/** Of one piece of advice: what a request may set goes into the next training; the rest is the command line's. */
function Apply({ name, value }: { name: string; value: string | number }) {
  const [said, setSaid] = useState("");
  if (SETTABLE.includes(name)) {
    const on = advised.value[name] === value;
    return <button class="text" aria-pressed={on} aria-label={`${on ? "in the next training" : "apply"}: ${name} ${value}`} onClick={() => advise(name, on ? null : value)}>{on ? "in the next training" : "apply"}</button>;
  }
  const copy = async () => setSaid((await copyText(onLine(name, value))) ? "copied" : "not copied");
  return <button class="text" aria-label={`${said || "copy the option"}: ${onLine(name, value)}`} title={onLine(name, value)} onClick={copy}>{said || "copy the option"}</button>;
}

const FOR_TRAINING = [...SETTABLE, "threads", "memory"];

function Advice({ m }: { m: Machine }) {
  const all = Object.entries(m.advice), free = all.filter(([name]) => SETTABLE.includes(name));
  const applied = free.every(([name, a]) => advised.value[name] === a.value);
  const line = `tidemill forecast train --data series.csv ${all.filter(([name]) => FOR_TRAINING.includes(name)).map(([name, a]) => onLine(name, a.value)).join(" ")}`;
  const [said, setSaid] = useState("");
  return (
    <section aria-labelledby="advice">
      <h2 id="advice">What suits it</h2>
      <div class="scroll" role="group" aria-label="Options that suit it" tabIndex={0}>
        <table class="advice">
          <thead><tr><th scope="col">option</th><th scope="col">value</th><th scope="col">most</th><th scope="col" class="word">because</th><th scope="col"><span class="away">apply</span></th></tr></thead>
          <tbody>
            {all.map(([name, a]) => (
              <tr key={name}>
                <th scope="row">{name}</th><td>{shown(name, a.value)}</td><td>{a.most === undefined ? "–" : shown(name, a.most)}</td><td class="word">{a.why}</td>
                <td><Apply name={name} value={a.value} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="row">
        <button class="plain" disabled={applied} onClick={() => free.forEach(([name, a]) => advise(name, a.value))}>Apply to the next training</button>
        <button class="text" onClick={async () => setSaid((await copyText(line)) ? "copied" : "not copied")}>{said || "copy all as a command"}</button>
        <span class="quiet">A training that is started on the screen Forecast takes them. Threads and memory are the service's to give: these are for the command line.</span>
      </p>
    </section>
  );
}
