// What the screen is about: the spectra that came, and what was chosen about them. The spectra are kept under a name made from their content; the
// address has that name and the choices.
import { batch, computed, effect, signal } from "@preact/signals";
import { PARAMETERS, type Parameter, type Spectrum } from "../api";
import { place, readPairs, readRanges, say, writePairs, writeRanges } from "../base/address";
import { keep, kept } from "../base/kept";
import { undoable } from "../base/undo";
import { readQuantity } from "../base/units";

export interface Well {
  name: string;
  file: string;
  spectrum: Spectrum;
  notes: string[];
}

export interface Choices {
  /** As typed. */
  known: Partial<Record<Parameter, string>>;
  circuit: "shunt" | "chain";
  area: string;
  /** By well: points taken out of the fit. */
  out: Record<number, number[]>;
  /** By well: why it is left out of the plate. */
  left: Record<number, string>;
  at: number;
  /** The candidate whose curve is shown, from 0: the most probable one. */
  candidate: number;
}

export const nothingChosen: Choices = { known: {}, circuit: "shunt", area: "", out: {}, left: {}, at: 0, candidate: 0 };

export const wells = signal<Well[]>([]);
export const dataName = signal("");
export const choices = undoable<Choices>(nothingChosen);
export const well = computed(() => wells.value[choices.now.value.at] ?? null);
export const out = computed(() => new Set(choices.now.value.out[choices.now.value.at] ?? []));
export const hovered = signal<number | null>(null);

/** Which of the known values are no quantities, in words. */
export const knownFaults = computed(() => {
  const faults: Partial<Record<Parameter, string>> = {};
  for (const name of PARAMETERS) {
    const text = choices.now.value.known[name]?.trim();
    if (!text) continue;
    const value = readQuantity(text);
    if (value === null) faults[name] = `${text} is no ${name[0] === "R" ? "resistance, such as 460, 4.8k or 2.2 MΩ" : "capacitance, such as 3.7u or 470 nF"}`;
    else if (!(value > 0)) faults[name] = "must be more than 0";
  }
  return faults;
});

/** The points that are in the fit; the service is asked about these. */
export const asked = computed<Spectrum | null>(() => {
  const w = well.value;
  if (!w) return null;
  const inside = w.spectrum.freq_hz.map((_, i) => i).filter((i) => !out.value.has(i));
  const pick = (values?: number[]) => values && inside.map((i) => values[i]!);
  const area = readQuantity(choices.now.value.area) ?? w.spectrum.area_cm2 ?? undefined;
  return {
    freq_hz: pick(w.spectrum.freq_hz)!, z_re_ohm: pick(w.spectrum.z_re_ohm)!, z_im_ohm: pick(w.spectrum.z_im_ohm)!,
    ...(w.spectrum.sigma_re_ohm && { sigma_re_ohm: pick(w.spectrum.sigma_re_ohm) }),
    ...(w.spectrum.sigma_im_ohm && { sigma_im_ohm: pick(w.spectrum.sigma_im_ohm) }),
    name: w.name, ...(area && area > 0 && { area_cm2: area }),
  };
});

/** By the number of a point that was asked about (from 0): its number in the file. */
export const askedPoints = computed(() => (well.value?.spectrum.freq_hz ?? []).map((_, i) => i).filter((i) => !out.value.has(i)));

export const known = computed(() => {
  const told: Partial<Record<Parameter, number>> = {};
  for (const name of PARAMETERS) {
    const value = readQuantity(choices.now.value.known[name] ?? "");
    if (value !== null && value > 0) told[name] = value;
  }
  return told;
});

export function change(name: string, part: Partial<Choices>, joins = false): void {
  choices.change(name, { ...choices.now.value, ...part }, joins);
}

/** What is looked at is no change: there is nothing to undo. */
export const showCandidate = (candidate: number) => choices.show({ ...choices.now.value, candidate });

/** In the fit or out of it: all of `points` the other way than the first of them is. */
export function togglePoints(points: number[]): void {
  const { out: all, at } = choices.now.value;
  const now = new Set(all[at] ?? []);
  const puts = now.has(points[0]!);
  for (const p of points) if (puts) now.delete(p); else now.add(p);
  const total = well.value?.spectrum.freq_hz.length ?? 0;
  // An answer wants some points; the last ones stay.
  if (total - now.size < 5) return;
  const what = points.length === 1 ? `point ${points[0]! + 1}` : `${points.length} points`;
  change(`${puts ? "put back" : "took out"} ${what}`, { out: { ...all, [at]: [...now].sort((a, b) => a - b) } });
}

export async function open(found: Well[]): Promise<void> {
  const name = await keep(found);
  const left = (await kept<Record<number, string>>(`${name}-left`)) ?? {};
  batch(() => {
    wells.value = found;
    dataName.value = name;
    choices.begin({ ...nothingChosen, known: choices.now.value.known, circuit: choices.now.value.circuit, left });
  });
}

export function close(): void {
  wells.value = [];
  dataName.value = "";
  choices.begin(nothingChosen);
  say({ data: "", known: "", out: "", at: "", area: "", circuit: "", candidate: "" }, "push");
}

const outText = (all: Record<number, number[]>) =>
  Object.entries(all).filter(([, points]) => points.length).map(([at, points]) => `${at}:${writeRanges(points).replace(/,/g, ".")}`).join(",");
const outOf = (text = "") =>
  Object.fromEntries(Object.entries(readPairs(text)).map(([at, points]) => [Number(at), readRanges(points.replace(/\./g, ","))]));

function queryOf(c: Choices): Record<string, string> {
  return {
    data: dataName.value, known: writePairs(c.known as Record<string, string>), circuit: c.circuit === "shunt" ? "" : c.circuit, area: c.area,
    out: outText(c.out), at: c.at ? String(c.at) : "", candidate: c.candidate ? String(c.candidate + 1) : "",
  };
}

function choicesOf(query: Record<string, string>): Choices {
  return {
    known: readPairs(query.known) as Choices["known"], circuit: query.circuit === "chain" ? "chain" : "shunt", area: query.area ?? "",
    out: outOf(query.out), left: {}, at: Number(query.at ?? 0) || 0, candidate: Math.max(0, (Number(query.candidate) || 1) - 1),
  };
}

/** Reads the state from the address now and whenever it changes from outside, and writes it there when it changes here. */
export function followAddress(lost: () => void): () => void {
  let wrote = "";
  const text = (query: Record<string, string>) => JSON.stringify(Object.entries(query).filter(([, v]) => v).sort());
  const stopReading = effect(() => {
    const { screen, query } = place.value;
    if (screen !== "impedance" || text(query) === wrote) return;
    wrote = text(query);
    void restore(query, lost);
  });
  const stopWriting = effect(() => {
    const query = queryOf(choices.now.value);
    if (!query.data || place.peek().screen !== "impedance") return;
    wrote = text(query);
    say(query);
    void keep(choices.now.value.left, `${query.data}-left`);
  });
  return () => (stopReading(), stopWriting());
}

async function restore(query: Record<string, string>, lost: () => void): Promise<void> {
  if (!query.data) {
    if (dataName.peek()) {
      wells.value = [];
      dataName.value = "";
    }
    return;
  }
  const found = query.data === dataName.peek() ? wells.peek() : await kept<Well[]>(query.data);
  if (!found) return lost();
  const left = (await kept<Record<number, string>>(`${query.data}-left`)) ?? {};
  batch(() => {
    wells.value = found;
    dataName.value = query.data!;
    choices.begin({ ...choicesOf(query), left });
  });
}
