// The machine as the service finds it: each figure with its reason, what was measured, and what of it a training reaches.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Machine } from "../api";
import { serviceAddress, token, get, inWords, send } from "../base/client";
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

function Advice({ m }: { m: Machine }) {
  return (
    <section aria-labelledby="advice">
      <h2 id="advice">What suits it</h2>
      <div class="scroll" role="group" aria-label="Options that suit it" tabIndex={0}>
        <table class="advice">
          <thead><tr><th scope="col">option</th><th scope="col">value</th><th scope="col">most</th><th scope="col" class="word">because</th></tr></thead>
          <tbody>
            {Object.entries(m.advice).map(([name, a]) => (
              <tr key={name}><th scope="row">{name}</th><td>{shown(name, a.value)}</td><td>{a.most === undefined ? "–" : shown(name, a.most)}</td><td class="word">{a.why}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
