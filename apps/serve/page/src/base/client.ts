// Requests to the service. Addresses are relative to the page, so they work below any root path; a token, if there is one, goes with each.
import { signal } from "@preact/signals";
import type { Problem } from "../api";
import { eventReader, type ServerEvent } from "./events";

const KEY = "tidemill-token";
export const token = signal<string>(stored());
/** The service wants a token: the page asks for it. */
export const wantsToken = signal(false);

function stored(): string {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

export function setToken(text: string): void {
  token.value = text.trim();
  wantsToken.value = false;
  try {
    sessionStorage.setItem(KEY, token.value);
  } catch {
    // Known to this page alone.
  }
}

export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }
}

/** What went wrong, for people: the sentence, and for each place that the service names, where it is. */
export function inWords(reason: unknown): string {
  if (reason instanceof Refused) {
    const places = (reason.problem.errors ?? []).map((e) => {
      const where = [e.pointer, e.row ? `row ${e.row}` : "", e.column ? `column ${e.column}` : ""].filter(Boolean).join(", ");
      return where && !reason.message.includes(e.message) ? `${where}: ${e.message}` : e.message;
    });
    return [reason.message, ...places.filter((p) => !reason.message.includes(p))].join(" · ");
  }
  if (reason instanceof TypeError) return "The service does not answer. Is `tidemill serve` still running?";
  return reason instanceof Error ? reason.message : String(reason);
}

export const isAbort = (reason: unknown) => reason instanceof DOMException && reason.name === "AbortError";

export const serviceAddress = () => new URL(".", document.baseURI).href.replace(/#.*$/, "");

export interface Ask {
  method?: string;
  json?: unknown;
  body?: BodyInit;
  type?: string;
  query?: Record<string, string>;
  signal?: AbortSignal;
}

export async function send(path: string, ask: Ask = {}): Promise<Response> {
  const address = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(ask.query ?? {})) if (value !== "") address.searchParams.set(name, value);
  const headers: Record<string, string> = { Accept: "application/json" };
  if (token.value) headers.Authorization = `Bearer ${token.value}`;
  if (ask.json !== undefined) headers["Content-Type"] = "application/json";
  else if (ask.type) headers["Content-Type"] = ask.type;
  const body = ask.json !== undefined ? JSON.stringify(ask.json) : ask.body;
  const response = await fetch(address, {
    method: ask.method ?? (body === undefined ? "GET" : "POST"), headers, body, signal: ask.signal, cache: "no-store",
  });
  if (response.status === 401) wantsToken.value = true;
  if (!response.ok) throw new Refused(await problemOf(response));
  return response;
}

async function problemOf(response: Response): Promise<Problem> {
  const said = `The service answered ${response.status} ${response.statusText}.`;
  try {
    const problem = (await response.json()) as Partial<Problem>;
    return { ...problem, title: problem.title ?? said, status: response.status };
  } catch {
    return { title: said, status: response.status };
  }
}

export async function get<T>(path: string, query?: Record<string, string>, signal?: AbortSignal): Promise<T> {
  return (await send(path, { query, signal })).json() as Promise<T>;
}

export async function post<T>(path: string, json: unknown, signal?: AbortSignal): Promise<T> {
  return (await send(path, { json, method: "POST", signal })).json() as Promise<T>;
}

/** Events until the stream ends or `signal` says so; a stream that breaks is opened again where it stopped. */
export async function follow(path: string, heard: (event: ServerEvent) => void, signal: AbortSignal): Promise<void> {
  let last = "";
  for (let wait = 500; !signal.aborted; wait = Math.min(8000, wait * 2)) {
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (token.value) headers.Authorization = `Bearer ${token.value}`;
      if (last) headers["Last-Event-ID"] = last;
      const response = await fetch(new URL(path, document.baseURI), { headers, signal, cache: "no-store" });
      if (!response.ok || !response.body) return;
      const read = eventReader();
      const stream = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await stream.read();
        if (done) return;
        for (const event of read(value)) {
          if (event.id) last = event.id;
          wait = 500;
          heard(event);
        }
      }
    } catch {
      if (signal.aborted) return;
      await new Promise((go) => setTimeout(go, wait));
    }
  }
}
