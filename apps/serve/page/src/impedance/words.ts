// Names, units and intervals of an answer's quantities.
import type { Completion } from "../api";
import { withUnit } from "../base/units";

export const unitOf = (name: string) => (name.startsWith("C") || name === "TEC" ? "F" : name === "n1" || name === "d1" ? "s" : "Ω");

export function intervalWords(c: Completion, name: string): string {
  const known = c.intervals_95[name];
  return known ? `${withUnit(known[0], unitOf(name))} to ${withUnit(known[1], unitOf(name))}` : "no interval";
}
