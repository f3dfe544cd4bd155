// The runs of the service: what they are at, their curves over each other, and what was told them differently.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Job } from "../api";
import { say } from "../base/address";
import { copyText } from "../base/save";
import { duration, percent, plain } from "../base/units";
import { Fault, Working } from "../shell/Working";
import { Curves } from "./Curves";
import { differences } from "./curves";
import { act, choose, chosen, chosenJobs, fault, isLive, jobs, logs, names, rename, startRuns } from "./state";
import { trySample } from "./sample";

export function Runs() {
  const [doing, setDoing] = useState("");
  useEffect(startRuns, []);
  const all = jobs.value;
  const sample = async () => {
    setDoing("starting a short training on made-up data");
    try {
      choose([await trySample()]);
    } finally {
      setDoing("");
    }
  };
  return (
    <>
      <div class="heading"><h1>Runs</h1></div>
      {fault.value && <Fault what={fault.value} />}
      {doing && <Working what={doing} />}
      {!all && <Working what="asking for the runs of this service" />}
      {all?.length === 0 && (
        <div class="welcome">
          <p class="lead">Nothing runs here yet. Trainings, benches and long answers that are started on this page or over the interface stand here, and go on without the page.</p>
          <p class="samples"><button class="main" onClick={sample}>Try a short training</button></p>
        </div>
      )}
      {all && all.length > 0 && <List all={all} />}
      {chosenJobs.value.length > 0 && (
        <>
          <Curves jobs={chosenJobs.value} />
          <Differences jobs={chosenJobs.value} />
          {chosenJobs.value.length === 1 && <One job={chosenJobs.value[0]!} />}
        </>
      )}
      {all && all.length > 0 && chosen.value.length === 0 && <p class="quiet">Choose a run to see its curves; several, to see them over each other.</p>}
    </>
  );
}

const STAGES: Record<string, string> = { step: "", epoch: "", validate: "validating", score: "scoring", draw: "drawing", trial: "searching", spectrum: "answering", look: "looking" };

function progressWords(j: Job): string {
  const p = j.progress;
  if (!p) return "";
  return [
    isLive(j) && p.stage && (STAGES[p.stage] ?? p.stage), p.epoch !== undefined && `epoch ${p.epoch}${p.epochs ? ` of ${p.epochs}` : ""}`, isLive(j) && !!p.batches && p.batch !== undefined && percent(p.batch / p.batches),
    isLive(j) && p.seconds_left != null && `${duration(p.seconds_left)} left`,
  ].filter(Boolean).join(", ");
}

function List({ all }: { all: Job[] }) {
  const toggle = (id: string) => choose(chosen.value.includes(id) ? chosen.value.filter((c) => c !== id) : [...chosen.value, id]);
  return (
    <div class="scroll">
      <table class="runs">
        <caption class="away">Runs of this service</caption>
        <thead><tr>{["", "run", "state", "at", "loss", "validation", "took", ""].map((word, i) => <th key={i} scope="col" class={i < 4 ? "word" : undefined}>{word || <span class="away">{i ? "what to do" : "show"}</span>}</th>)}</tr></thead>
        <tbody>
          {all.map((j) => (
            <tr key={j.id} class={chosen.value.includes(j.id) ? "chosen" : undefined}>
              <td><input type="checkbox" checked={chosen.value.includes(j.id)} onChange={() => toggle(j.id)} aria-label={`show ${names.value[j.id]}`} /></td>
              <th scope="row"><button class="text name" onClick={() => choose([j.id])}>{names.value[j.id]}</button></th>
              <td class="word"><span class={`state ${j.state}`}>{j.state}</span></td>
              <td class="word">{progressWords(j) || j.message || "–"}</td>
              <td>{plain(j.progress?.loss)}</td>
              <td>{plain(j.progress?.val_loss)}</td>
              <td>{duration(j.progress?.seconds)}</td>
              <td><Actions job={j} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Actions({ job }: { job: Job }) {
  const [said, setSaid] = useState("");
  const [sure, setSure] = useState(false);
  const name = names.value[job.id];
  const copy = async () => {
    setSaid((await copyText(job.cli)) ? "copied" : "not copied");
    setTimeout(() => setSaid(""), 1500);
  };
  return (
    <span class="row tight">
      {isLive(job) && <button class="text" onClick={() => act(job, "cancel")} aria-label={`Stop ${name}`}>stop</button>}
      {["stopped", "cancelled", "failed"].includes(job.state) && <button class="text" onClick={() => act(job, "resume")} aria-label={`Resume ${name}`}>resume</button>}
      <button class="text" onClick={copy} aria-label={said ? `${said}: the command of ${name}` : `Copy the command of ${name}`}>{said || "command"}</button>
      {!isLive(job) && (sure
        ? <><button class="text bad" onClick={() => act(job, "delete")}>delete its folder</button><button class="text" onClick={() => setSure(false)}>keep</button></>
        : <button class="text" onClick={() => setSure(true)} aria-label={`Delete ${name}`}>delete</button>)}
    </span>
  );
}

function Differences({ jobs: some }: { jobs: Job[] }) {
  if (some.length < 2) return null;
  const found = differences(some);
  return (
    <section aria-labelledby="differences">
      <h2 id="differences">What differs</h2>
      {found.length === 0 ? <p class="quiet">Nothing: these runs were told the same.</p> : (
        <div class="scroll" role="group" aria-label="Options that differ" tabIndex={0}>
          <table>
            <thead><tr><th scope="col">option</th>{some.map((j) => <th key={j.id} scope="col" class="named">{names.value[j.id]}</th>)}</tr></thead>
            <tbody>{found.map((d) => <tr key={d.option}><th scope="row">{d.option}</th>{d.values.map((v, i) => <td key={i}>{v}</td>)}</tr>)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Name({ job }: { job: Job }) {
  const [text, setText] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), [text === null]);
  if (text === null)
    return <p class="row"><span class="quiet">{job.id}</span> <button class="text" onClick={() => setText(job.name ?? "")}>rename</button></p>;
  return (
    <form class="row" onSubmit={(e) => (e.preventDefault(), setText(null), void rename(job, text))} onKeyDown={(e) => e.key === "Escape" && setText(null)}>
      <label for="run-name">Call it</label>
      <input id="run-name" value={text} maxLength={60} placeholder={names.value[job.id]} autocomplete="off" onInput={(e) => setText(e.currentTarget.value)} ref={input} />
      <button class="plain">Rename</button>
      <button type="button" class="text" onClick={() => setText(null)}>leave it</button>
    </form>
  );
}

function One({ job }: { job: Job }) {
  const lines = logs.value[job.id] ?? [];
  return (
    <section class="one" aria-labelledby="one">
      <h2 id="one">{names.value[job.id]}</h2>
      <Name job={job} />
      {job.message && <p>{job.message}</p>}
      <p class="command"><code>{job.cli}</code></p>
      <h3>Log</h3>
      {lines.length ? <pre tabIndex={0} aria-label={`Log of ${names.value[job.id]}`}>{lines.join("\n")}</pre> : <p class="quiet">Nothing was said yet.</p>}
      <button class="text" onClick={() => say({ ids: "" })}>Close</button>
    </section>
  );
}
