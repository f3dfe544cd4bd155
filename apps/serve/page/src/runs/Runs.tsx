// The runs of the service: what they are at, their curves over each other, and what was told them differently.
import { useEffect, useState } from "preact/hooks";
import type { Job } from "../api";
import { say } from "../base/address";
import { copyText } from "../base/save";
import { duration, percent, plain } from "../base/units";
import { Fault, Working } from "../shell/Working";
import { Curves } from "./Curves";
import { differences } from "./curves";
import { act, choose, chosen, chosenJobs, fault, isLive, jobs, logs, startRuns } from "./state";
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
              <td><input type="checkbox" checked={chosen.value.includes(j.id)} onChange={() => toggle(j.id)} aria-label={`show ${j.id}, ${j.command}`} /></td>
              <th scope="row"><button class="text" onClick={() => choose([j.id])}>{j.id}</button> <span class="quiet">{j.command}</span></th>
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
  const copy = async () => {
    setSaid((await copyText(job.cli)) ? "copied" : "not copied");
    setTimeout(() => setSaid(""), 1500);
  };
  return (
    <span class="row tight">
      {isLive(job) && <button class="text" onClick={() => act(job, "cancel")} aria-label={`Stop ${job.id}`}>stop</button>}
      {["stopped", "cancelled", "failed"].includes(job.state) && <button class="text" onClick={() => act(job, "resume")} aria-label={`Resume ${job.id}`}>resume</button>}
      <button class="text" onClick={copy} aria-label={said ? `${said}: the command of ${job.id}` : `Copy the command of ${job.id}`}>{said || "command"}</button>
      {!isLive(job) && (sure
        ? <><button class="text bad" onClick={() => act(job, "delete")}>delete its folder</button><button class="text" onClick={() => setSure(false)}>keep</button></>
        : <button class="text" onClick={() => setSure(true)} aria-label={`Delete ${job.id}`}>delete</button>)}
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
            <thead><tr><th scope="col">option</th>{some.map((j) => <th key={j.id} scope="col">{j.id}</th>)}</tr></thead>
            <tbody>{found.map((d) => <tr key={d.option}><th scope="row">{d.option}</th>{d.values.map((v, i) => <td key={i}>{v}</td>)}</tr>)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function One({ job }: { job: Job }) {
  const lines = logs.value[job.id] ?? [];
  return (
    <section class="one" aria-labelledby="one">
      <h2 id="one">{job.id}</h2>
      {job.message && <p>{job.message}</p>}
      <p class="command"><code>{job.cli}</code></p>
      <h3>Log</h3>
      {lines.length ? <pre tabIndex={0} aria-label={`Log of ${job.id}`}>{lines.join("\n")}</pre> : <p class="quiet">Nothing was said yet.</p>}
      <button class="text" onClick={() => say({ ids: "" })}>Close</button>
    </section>
  );
}
