// The jobs of the service and what is shown of them. Those that run are followed by their events; the list is asked for again when one begins or ends, and now and then.
import { computed, effect, signal } from "@preact/signals";
import type { Job, Metrics, Progress } from "../api";
import { place, say } from "../base/address";
import { follow, get, inWords, send } from "../base/client";
import { grown } from "./curves";
import { namesOf } from "./names";
import { logLine, type Told } from "./told";

export const jobs = signal<Job[] | null>(null);
export const fault = signal("");
export const metrics = signal<Record<string, Metrics>>({});
export const logs = signal<Record<string, string[]>>({});

const query = computed(() => place.value.query);
export const chosen = computed(() => (query.value.ids ?? "").split(",").filter(Boolean));
export const logScale = computed(() => query.value.log === "1");
export const smoothing = computed(() => Math.max(0, Math.min(0.98, Number(query.value.smooth ?? 0) || 0)));
export const chosenJobs = computed(() => chosen.value.flatMap((id) => jobs.value?.find((j) => j.id === id) ?? []));

/** By id. */
export const names = computed(() => namesOf(jobs.value ?? []));

export const choose = (ids: string[]) => say({ ids: ids.join(",") });
export const isLive = (j: Job) => j.state === "running" || j.state === "queued";

const EVERY_MS = 4000, LOG_LINES = 400;

export async function list(): Promise<void> {
  try {
    jobs.value = await get<Job[]>("api/v1/jobs");
    fault.value = "";
  } catch (reason) {
    jobs.value ??= [];
    fault.value = inWords(reason);
  }
}

export async function rename(job: Job, name: string): Promise<void> {
  try {
    await send(`api/v1/jobs/${job.id}/name`, { json: { name: name.trim() }, method: "POST" });
    await list();
  } catch (reason) {
    fault.value = inWords(reason);
  }
}

export async function act(job: Job, what: "cancel" | "resume" | "delete"): Promise<void> {
  try {
    await send(`api/v1/jobs/${job.id}${what === "delete" ? "" : `/${what}`}`, { method: what === "delete" ? "DELETE" : "POST" });
    if (what === "delete") choose(chosen.value.filter((id) => id !== job.id));
    await list();
  } catch (reason) {
    fault.value = inWords(reason);
  }
}

function put(id: string, part: Partial<Job>): void {
  jobs.value = (jobs.peek() ?? []).map((j) => (j.id === id ? { ...j, ...part } : j));
}

/** What a live run tells goes into its curves at once; the file of its epochs takes their place when it ends. */
function addPoint(id: string, p: Progress): void {
  metrics.value = { ...metrics.peek(), [id]: grown(metrics.peek()[id], p) };
}

/** Ended runs whose files were asked for: what a stream told until then may not be all. */
const loaded = new Set<string>();

async function load(id: string): Promise<void> {
  loaded.add(id);
  const [found, log] = await Promise.allSettled([get<Metrics>(`api/v1/jobs/${id}/metrics`), send(`api/v1/jobs/${id}/log`).then((r) => r.text())]);
  if (found.status === "fulfilled") metrics.value = { ...metrics.peek(), [id]: found.value };
  if (log.status === "fulfilled") logs.value = { ...logs.peek(), [id]: log.value.split("\n").filter(Boolean).slice(-LOG_LINES) };
}

let soon = 0;
function listSoon(): void {
  clearTimeout(soon);
  soon = window.setTimeout(() => void list(), 100);
}

function heard(id: string, event: string, data: string): void {
  const told = JSON.parse(data) as Told & Progress;
  if (event === "progress") {
    put(id, { progress: { ...(jobs.peek()?.find((j) => j.id === id)?.progress ?? {}), ...told } });
    addPoint(id, told);
    return;
  }
  const line = logLine(told);
  if (line) logs.value = { ...logs.peek(), [id]: [...(logs.peek()[id] ?? []), line].slice(-LOG_LINES) };
  // The stream begins with what was long ago: which state is the job's now, the list says.
  if (event === "state") listSoon();
}

export function startRuns(): () => void {
  void list();
  const timer = setInterval(() => document.visibilityState === "visible" && void list(), EVERY_MS);
  const open = new Map<string, AbortController>();
  const stopLoading = effect(() => {
    // A live run's stream tells all of it from its beginning.
    const ended = (jobs.value ?? []).filter((j) => !isLive(j)).map((j) => j.id);
    for (const id of chosen.value) if (ended.includes(id) && !loaded.has(id)) void load(id);
  });
  const live = computed(() => (jobs.value ?? []).filter((j) => isLive(j) && (chosen.value.includes(j.id) || j.state === "running")).map((j) => j.id).join(","));
  const stopFollowing = effect(() => {
    const wanted = live.value.split(",").filter(Boolean);
    for (const [id, control] of open) if (!wanted.includes(id)) control.abort(), open.delete(id);
    for (const id of wanted) {
      if (open.has(id)) continue;
      const control = new AbortController();
      open.set(id, control);
      loaded.delete(id);
      metrics.value = { ...metrics.peek(), [id]: {} };
      logs.value = { ...logs.peek(), [id]: [] };
      void follow(`api/v1/jobs/${id}/events`, (e) => heard(id, e.event, e.data), control.signal).then(() => {
        if (control.signal.aborted) return;
        open.delete(id);
        // Its end is in the list by then; a stream that broke off earlier is no end, and the list's next look loads what there is.
        void list().then(() => {
          const job = jobs.peek()?.find((j) => j.id === id);
          if (job && !isLive(job)) void load(id);
        });
      });
    }
  });
  return () => {
    clearInterval(timer);
    stopLoading();
    stopFollowing();
    for (const control of open.values()) control.abort();
  };
}
