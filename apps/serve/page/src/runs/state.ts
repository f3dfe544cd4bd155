// The jobs of the service and what is shown of them. Those that run are followed by their events; the list is asked for again when one begins or ends, and now and then.
import { computed, effect, signal } from "@preact/signals";
import type { Job, Metrics, Progress } from "../api";
import { place, say } from "../base/address";
import { follow, get, inWords, send } from "../base/client";

export const jobs = signal<Job[] | null>(null);
export const fault = signal("");
export const metrics = signal<Record<string, Metrics>>({});
export const logs = signal<Record<string, string[]>>({});

const query = computed(() => place.value.query);
export const chosen = computed(() => (query.value.ids ?? "").split(",").filter(Boolean));
export const logScale = computed(() => query.value.log === "1");
export const smoothing = computed(() => Math.max(0, Math.min(0.98, Number(query.value.smooth ?? 0) || 0)));
export const chosenJobs = computed(() => chosen.value.flatMap((id) => jobs.value?.find((j) => j.id === id) ?? []));

export const choose = (ids: string[]) => say({ ids: ids.join(",") });
export const isLive = (j: Job) => j.state === "running" || j.state === "queued";

const EVERY_MS = 4000, LOG_LINES = 400;

export async function list(): Promise<void> {
  try {
    const found = await get<Job[] | { jobs: Job[] }>("api/v1/jobs");
    jobs.value = Array.isArray(found) ? found : found.jobs;
    fault.value = "";
  } catch (reason) {
    jobs.value ??= [];
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

/** A step of a live run goes into its curves at once; the whole file comes when the run is opened. */
function addPoint(id: string, p: Progress): void {
  if (p.step === undefined || (p.loss == null && p.val_loss == null)) return;
  const now = metrics.peek()[id] ?? {};
  const steps = now.step ?? [];
  if ((steps[steps.length - 1] ?? -1) >= p.step) return;
  const names = new Set([...Object.keys(now), "step", "loss", ...(p.val_loss == null ? [] : ["val_loss"])]);
  const grown = Object.fromEntries([...names].map((name) => {
    const before = now[name] ?? steps.map(() => null);
    return [name, [...before, (p as Record<string, number | null | undefined>)[name] ?? null]];
  }));
  metrics.value = { ...metrics.peek(), [id]: grown };
}

async function load(id: string): Promise<void> {
  const [found, log] = await Promise.allSettled([get<Metrics>(`api/v1/jobs/${id}/metrics`), send(`api/v1/jobs/${id}/log`).then((r) => r.text())]);
  if (found.status === "fulfilled") metrics.value = { ...metrics.peek(), [id]: found.value };
  if (log.status === "fulfilled") logs.value = { ...logs.peek(), [id]: log.value.split("\n").filter(Boolean).slice(-LOG_LINES) };
}

function heard(id: string, event: string, data: string): void {
  const told = JSON.parse(data) as Record<string, unknown>;
  if (event === "progress") {
    put(id, { state: "running", progress: { ...(jobs.peek()?.find((j) => j.id === id)?.progress ?? {}), ...(told as Progress) } });
    addPoint(id, told as Progress);
  } else if (event === "log") {
    logs.value = { ...logs.peek(), [id]: [...(logs.peek()[id] ?? []), String(told.line ?? told.message ?? data)].slice(-LOG_LINES) };
  } else if (event === "state") {
    put(id, told as Partial<Job>);
  }
}

export function startRuns(): () => void {
  void list();
  const timer = setInterval(() => document.visibilityState === "visible" && void list(), EVERY_MS);
  const open = new Map<string, AbortController>();
  const stopLoading = effect(() => {
    for (const id of chosen.value) if (!metrics.peek()[id] || !logs.peek()[id]) void load(id);
  });
  const live = computed(() => (jobs.value ?? []).filter((j) => isLive(j) && (chosen.value.includes(j.id) || j.state === "running")).map((j) => j.id).join(","));
  const stopFollowing = effect(() => {
    const wanted = live.value.split(",").filter(Boolean);
    for (const [id, control] of open) if (!wanted.includes(id)) control.abort(), open.delete(id);
    for (const id of wanted) {
      if (open.has(id)) continue;
      const control = new AbortController();
      open.set(id, control);
      void follow(`api/v1/jobs/${id}/events`, (e) => heard(id, e.event, e.data), control.signal).then(() => {
        if (control.signal.aborted) return;
        open.delete(id);
        void load(id);
        void list();
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
