// What the screen is about: a file's text, how it is to be read, the model, and where the past is cut off.
import { batch, computed, effect, signal } from "@preact/signals";
import type { Job, Model, Numbers, SeriesRead } from "../api";
import { place, readPairs, say, writePairs } from "../base/address";
import { get, inWords, isAbort, send } from "../base/client";
import { keep, kept } from "../base/kept";
import { undoable } from "../base/undo";
import { namesOf } from "../runs/names";
import { joined, ownColumns, rowsCome } from "./ahead";
import { understand, type Understood } from "./understood";

export interface Source {
  name: string;
  text: string;
}

export interface Choices {
  /** Options of reading, by their names, that the user set. */
  options: Record<string, string>;
  model: string;
  /** Columns that are shown; none: the first. */
  shown: string[];
  /** The first row that the model does not see; null: after the last. */
  cut: number | null;
  pinned: number | null;
  /** How many horizons the view is long. */
  span: number;
  /** The name under which a file with rows to come is kept. */
  later: string;
  /** Of the attention, from 1; 0: it is not shown. */
  layer: number;
}

export const nothingChosen: Choices = { options: {}, model: "", shown: [], cut: null, pinned: null, span: 6, later: "", layer: 0 };

export const source = signal<Source | null>(null);
export const dataName = signal("");
export const choices = undoable<Choices>(nothingChosen);
export const table = signal<Understood | null>(null);
export const reading = signal("");
export const readFault = signal("");
export const models = signal<Model[] | null>(null);
export const modelsFault = signal("");
/** Of models that jobs trained: what their runs are called. */
export const modelNames = signal<Record<string, string>>({});
/** What a second file says of the rows to come. */
export const later = signal<Numbers | null>(null);

export const change = (name: string, part: Partial<Choices>, joins = false) => choices.change(name, { ...choices.now.value, ...part }, joins);

/** The attention's layer, from 1; 0 hides it: what is looked at is no change. */
export const showLayer = (layer: number) => choices.show({ ...choices.now.value, layer });

export const forecasters = computed(() => (models.value ?? []).filter((m) => m.kind === "forecast"));
/** Those whose columns the file has come first. */
export const suits = (m: Model, t: Understood) => ownColumns(m).every((c) => c in t.numbers.columns);
export const model = computed<Model | null>(() => {
  const t = table.value;
  // Where none suits, what the first one lacks is said.
  return forecasters.value.find((m) => m.id === choices.now.value.model) ?? (t && forecasters.value.find((m) => suits(m, t))) ?? forecasters.value[0] ?? null;
});
export const horizon = computed(() => model.value?.pred_len ?? 24);
export const lookBack = computed(() => model.value?.seq_len ?? 96);
/** Rows that have come. */
export const rows = computed(() => (table.value ? rowsCome(model.value, table.value.numbers, table.value.rows) : 0));
/** With what is known of rows to come behind them. */
export const series = computed<Numbers>(() => (table.value ? joined(table.value.numbers, table.value.rows, rows.value, later.value) : { columns: {} }));
/** Where the cut-off may stand: the model's whole look-back before it. */
export const cutRange = computed<[number, number]>(() => [Math.min(lookBack.value, rows.value), rows.value]);
export const cut = computed(() => {
  const [low, high] = cutRange.value;
  // From the start the forecast stands beside what came.
  return Math.max(low, Math.min(high, choices.now.value.cut ?? high - horizon.value));
});
export const columnNames = computed(() => Object.keys(table.value?.numbers.columns ?? {}));
export const shown = computed(() => {
  const there = choices.now.value.shown.filter((name) => columnNames.value.includes(name));
  if (there.length) return there;
  // Of what is forecast the first.
  const first = columnNames.value.find((name) => model.value?.targets.includes(name)) ?? columnNames.value[0];
  return first === undefined ? [] : [first];
});

export async function open(found: Source): Promise<void> {
  const name = await keep(found);
  batch(() => {
    source.value = found;
    dataName.value = name;
    later.value = null;
    choices.begin({ ...nothingChosen, model: choices.now.value.model, layer: choices.now.value.layer });
  });
}

export function close(): void {
  source.value = null;
  table.value = null;
  dataName.value = "";
  later.value = null;
  choices.begin(nothingChosen);
  say({ data: "", model: "", cut: "", shown: "", read: "", pin: "", span: "", later: "", layer: "" }, "push");
}

const MOST_MODELS = 100;

export async function listModels(): Promise<void> {
  try {
    const { models: found } = await get<{ models: Model[] }>("api/v1/models");
    // Sizes and columns come with each alone: the service opens it for that.
    const forecasters = found.filter((m) => m.kind === "forecast").slice(0, MOST_MODELS);
    const told = await Promise.allSettled(forecasters.map((m) => get<Model>(`api/v1/models/${encodeURIComponent(m.id)}`)));
    modelNames.value = await get<Job[]>("api/v1/jobs").then(namesOf, () => ({}));
    models.value = told.flatMap((t) => (t.status === "fulfilled" ? [t.value] : []));
    modelsFault.value = told.flatMap((t) => (t.status === "rejected" ? [inWords(t.reason)] : []))[0] ?? "";
  } catch (reason) {
    models.value ??= [];
    modelsFault.value = inWords(reason);
  }
}

/** Reads the file again whenever it, or what was said about it, changes. */
export function startReading(): () => void {
  let control = new AbortController();
  const options = computed(() => JSON.stringify(choices.now.value.options));
  const stop = effect(() => {
    control.abort();
    control = new AbortController();
    const from = source.value, query = JSON.parse(options.value) as Record<string, string>;
    if (from) void read(from, query, control.signal);
  });
  return () => (stop(), control.abort());
}

const askToRead = async (from: Source, query: Record<string, string>, stop?: AbortSignal) =>
  (await send("api/v1/forecast/read", { method: "POST", body: from.text, type: "text/csv", query: { name: from.name, ...query }, signal: stop })).json() as Promise<SeriesRead>;

/** A file of rows to come, read as the first one was. */
export async function openLater(found: Source): Promise<void> {
  const { time, columns } = await askToRead(found, choices.now.value.options);
  const numbers: Numbers = { ...(time && { time }), columns };
  const name = await keep(numbers);
  later.value = numbers;
  change(`took rows to come from ${found.name}`, { later: name });
}

async function read(from: Source, query: Record<string, string>, stop: AbortSignal): Promise<void> {
  reading.value = `reading ${from.name}`;
  try {
    const found = understand(await askToRead(from, query, stop), query);
    if (stop.aborted) return;
    table.value = found;
    readFault.value = "";
  } catch (reason) {
    if (stop.aborted || isAbort(reason)) return;
    readFault.value = inWords(reason);
  }
  reading.value = "";
}

const queryOf = (c: Choices): Record<string, string> => ({
  data: dataName.value, model: c.model, cut: c.cut === null ? "" : String(c.cut), shown: c.shown.map(encodeURIComponent).join(","), read: writePairs(c.options),
  pin: c.pinned === null ? "" : String(c.pinned), span: c.span === nothingChosen.span ? "" : String(c.span),
  later: c.later, layer: c.layer ? String(c.layer) : "",
});
const number = (text: string | undefined) => (text && Number.isFinite(Number(text)) ? Number(text) : null);
const choicesOf = (q: Record<string, string>): Choices => ({
  options: readPairs(q.read), model: q.model ?? "", shown: (q.shown ?? "").split(",").filter(Boolean).map(decodeURIComponent), cut: number(q.cut), pinned: number(q.pin),
  span: number(q.span) ?? nothingChosen.span, later: q.later ?? "", layer: number(q.layer) ?? 0,
});

export function followAddress(lost: () => void): () => void {
  let wrote = "";
  const text = (query: Record<string, string>) => JSON.stringify(Object.entries(query).filter(([, v]) => v).sort());
  const stopReading = effect(() => {
    const { screen, query } = place.value;
    if (screen !== "forecast" || text(query) === wrote) return;
    wrote = text(query);
    void restore(query, lost);
  });
  let timer = 0;
  const stopWriting = effect(() => {
    const query = queryOf(choices.now.value);
    if (!query.data) return;
    // Browsers refuse more than some hundred changes of the address in a while: a drag is written when it rests.
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (place.peek().screen !== "forecast") return;
      wrote = text(query);
      say(query);
    }, 150);
  });
  return () => (stopReading(), stopWriting(), clearTimeout(timer));
}

async function restore(query: Record<string, string>, lost: () => void): Promise<void> {
  if (!query.data) {
    if (dataName.peek()) {
      source.value = table.value = null;
      dataName.value = "";
    }
    return;
  }
  choices.begin(choicesOf(query));
  later.value = query.later ? await kept<Numbers>(query.later) : null;
  if (query.data === dataName.peek()) return;
  const found = await kept<Source>(query.data);
  if (!found) return lost();
  dataName.value = query.data;
  source.value = found;
}
