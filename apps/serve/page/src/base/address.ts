// The address holds the state: #/impedance?known=Rsh:460&data=k3f9. What a screen shows follows from it, so reload, back and a copied link work.
import { signal } from "@preact/signals";

export interface Place {
  screen: string;
  query: Record<string, string>;
}

export function readAddress(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { screen: path || "impedance", query: Object.fromEntries(new URLSearchParams(query)) };
}

/** Empty values are left out; keys are in order, so one state has one address. */
export function writeAddress(place: Place): string {
  const kept = Object.entries(place.query).filter(([, value]) => value !== "").sort(([a], [b]) => (a < b ? -1 : 1));
  const query = new URLSearchParams(kept).toString().replace(/%3A/g, ":").replace(/%2C/g, ",");
  return `#/${place.screen}${query ? `?${query}` : ""}`;
}

/** "Rsh:460,Ra:4.8k" <-> a record; what is empty is not there. */
export const writePairs = (pairs: Record<string, string>) =>
  Object.entries(pairs).filter(([, v]) => v !== "").map(([k, v]) => `${k}:${v}`).join(",");
export const readPairs = (text = ""): Record<string, string> =>
  Object.fromEntries(text.split(",").filter((p) => p.includes(":")).map((p) => [p.slice(0, p.indexOf(":")), p.slice(p.indexOf(":") + 1)]));

/** "1-3,7" <-> a sorted list of whole numbers. */
export function writeRanges(numbers: Iterable<number>): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; i++) {
    const from = sorted[i]!;
    while (sorted[i + 1] === sorted[i]! + 1) i++;
    parts.push(from === sorted[i] ? `${from}` : `${from}-${sorted[i]}`);
  }
  return parts.join(",");
}
const MOST_OF_A_RANGE = 100_000;
export function readRanges(text = ""): number[] {
  return text.split(",").flatMap((part) => {
    const found = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!found) return [];
    const from = Number(found[1]);
    const to = Math.min(Number(found[2] ?? from), from + MOST_OF_A_RANGE);
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  });
}

export const place = signal<Place>(readAddress(typeof location === "undefined" ? "" : location.hash));

if (typeof window !== "undefined") window.addEventListener("hashchange", () => (place.value = readAddress(location.hash)));

/** Changes the query of the screen that is shown. Small steps replace the entry of the history, others add one. */
export function say(change: Record<string, string>, step: "replace" | "push" = "replace"): void {
  const next = { screen: place.value.screen, query: { ...place.value.query, ...change } };
  const address = writeAddress(next);
  if (address === writeAddress(place.value)) return;
  if (step === "push") history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  place.value = readAddress(address);
}

export function go(screen: string, query: Record<string, string> = {}): void {
  location.hash = writeAddress({ screen, query });
}
