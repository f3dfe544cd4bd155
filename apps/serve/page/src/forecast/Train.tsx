// Trains a model on the dropped file: a job of the service, which goes on if the page is closed. Its run is on the screen Runs.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Job, JobRequest, Upload } from "../api";
import { advise, advised } from "../base/advised";
import { writeAddress } from "../base/address";
import { follow, get, inWords, post, send } from "../base/client";
import { duration, plain } from "../base/units";
import { Fault, Working } from "../shell/Working";
import { change, choices, columnNames, forecasters, listModels, model, source, suits, table } from "./state";

/** Sizes of a network; others have none of these. */
const WIDTHS = ["d-model", "d-ff"];
const FORMS: [string, string][] = [["itransformer", "iTransformer"], ["dlinear", "DLinear, quick"], ["auto", "several, weighed"]];

export function Train() {
  const [ahead, setAhead] = useState("96");
  const [back, setBack] = useState(String(advised.peek()["seq-len"] ?? 96));
  const [known, setKnown] = useState<string[]>([]);
  const [arch, setArch] = useState("itransformer");
  const [doing, setDoing] = useState("");
  const [fault, setFault] = useState("");
  const [job, setJob] = useState<Job | null>(null);
  const control = useRef(new AbortController());
  useEffect(() => () => control.current.abort(), []);

  const given = Object.entries(advised.value).filter(([name]) => name !== "seq-len" && (arch === "itransformer" || !WIDTHS.includes(name)));
  const told = known.filter((name) => columnNames.value.includes(name));
  const ended = async (id: string) => {
    const last = await get<Job>(`api/v1/jobs/${id}`);
    setJob(last);
    if (last.state !== "done") return;
    await listModels();
    // What a job trained is a model of its name.
    if (forecasters.value.some((m) => m.id === id)) change(`took ${id}`, { model: id });
  };
  const train = async () => {
    setFault("");
    try {
      setDoing("sending the file to the service");
      const upload = (await (await send("api/v1/uploads", { method: "POST", body: source.value!.text, type: "text/csv", query: { name: source.value!.name } })).json()) as Upload;
      setDoing("starting the training");
      const request: JobRequest = { command: "forecast train", upload: upload.id, options: { ...choices.now.value.options, ...Object.fromEntries(given), ...(told.length ? { known: told.join(",") } : {}), "pred-len": Number(ahead), "seq-len": Number(back), arch } };
      const begun = await post<Job>("api/v1/jobs", request);
      setJob(begun);
      setDoing("");
      await follow(`api/v1/jobs/${begun.id}/events`, (e) => {
        if (e.event === "progress") setJob((now) => now && { ...now, state: "running", progress: { ...now.progress, ...JSON.parse(e.data) } });
      }, control.current.signal);
      if (!control.current.signal.aborted) await ended(begun.id);
    } catch (reason) {
      setFault(inWords(reason));
    }
    setDoing("");
  };
  const m = model.value, running = job && (job.state === "queued" || job.state === "running");
  const p = job?.progress;
  return (
    <details class="train" open={!(m && table.value && suits(m, table.value))}>
      <summary>Train a model on this file</summary>
      <form class="row" onSubmit={(e) => (e.preventDefault(), void train())}>
        <label>rows ahead <input class="short" inputMode="numeric" value={ahead} onInput={(e) => setAhead(e.currentTarget.value)} /></label>
        <label>from the last <input class="short" inputMode="numeric" value={back} onInput={(e) => setBack(e.currentTarget.value)} /> rows</label>
        <label>model <select value={arch} onChange={(e) => setArch(e.currentTarget.value)}>{FORMS.map(([id, word]) => <option key={id} value={id}>{word}</option>)}</select></label>
        <button class="main" disabled={!!doing || !!running || !(Number(ahead) > 0) || !(Number(back) > 0) || told.length >= columnNames.value.length}>Train</button>
      </form>
      {columnNames.value.length > 1 && (
        <div class="row columns" role="group" aria-label="Columns whose values are known ahead">
          <span class="quiet">known ahead, such as a price or a plan:</span>
          {columnNames.value.map((name) => (
            <button key={name} class="chip-button" aria-pressed={told.includes(name)} onClick={() => setKnown(told.includes(name) ? told.filter((n) => n !== name) : [...told, name])}>{name}</button>
          ))}
        </div>
      )}
      {given.length > 0 && (
        <div class="row columns" role="group" aria-label="Options advised for this machine">
          <span class="quiet">as the machine's advice:</span>
          {given.map(([name, value]) => <button key={name} class="chip-button" aria-pressed="true" aria-label={`${name} ${value}: leave it out`} onClick={() => advise(name, null)}>{name} {value} ×</button>)}
        </div>
      )}
      {doing && <Working what={doing} />}
      {fault && <Fault what={fault} />}
      {job && (
        <div>
          {running ? (
            <Working
              what={p?.epoch ? `epoch ${p.epoch}${p.epochs ? ` of ${p.epochs}` : ""}, loss ${plain(p.loss, 3)}${p.seconds_left ? `, about ${duration(p.seconds_left)} left` : ""}` : "waiting for its turn"}
              done={(p?.epoch ?? 1) - 1 + (p?.batches ? (p.batch ?? 0) / p.batches : 0)} of={p?.epochs}
            />
          ) : <p>The training is {job.state}{job.message ? `: ${job.message}` : ""}.</p>}
          <a href={writeAddress({ screen: "runs", query: { ids: job.id } })}>Its run</a>
        </div>
      )}
    </details>
  );
}
