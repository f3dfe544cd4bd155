// Columns that a model knows ahead: of the rows to come they stand in the file as long as the cut-off is in the past; for its end they are brought.
import type { Model, Numbers } from "../api";

/** What is sent of a model's columns: holidays follow from the times. */
export const ownColumns = (m: Model) => m.columns.slice(0, m.columns.length - (m.holidays ?? 0));
export const knownColumns = (m: Model) => {
  const known = (m.known_ahead ?? 0) - (m.holidays ?? 0);
  return known > 0 ? ownColumns(m).slice(-known) : [];
};

type Column = (number | null)[];
const nothing = (rows: number): Column => Array<number | null>(rows).fill(null);

/** How many rows have come: behind the last one that has a value to forecast there may be others, of what is known ahead alone. */
export function rowsCome(m: Model | null, numbers: Numbers, rows: number): number {
  const known = m ? knownColumns(m) : [];
  if (!m || !known.length) return rows;
  const told = m.targets.filter((name) => !known.includes(name)).map((name) => numbers.columns[name] ?? []);
  let last = rows;
  while (last > 0 && told.length && told.every((values) => values[last - 1] == null)) last--;
  return last || rows;
}

/**
 * The series with the rows of another file behind it: matched by their times, and where there are none behind the rows that have come. Only where
 * the series has no value does the other file's stand.
 */
export function joined(numbers: Numbers, rows: number, come: number, later: Numbers | null): Numbers {
  if (!later) return numbers;
  const time = numbers.time && [...numbers.time], at = new Map(time?.map((t, i) => [t, i]));
  const count = Math.max(0, ...Object.values(later.columns).map((c) => c.length));
  let end = time ? rows : come;
  const place = Array.from({ length: count }, (_, i) => {
    if (!time) return end++;
    const stamp = later.time?.[i];
    // Before the file begins, or without a time among rows that have one: no place.
    if (stamp === undefined || (!at.has(stamp) && stamp <= (time[time.length - 1] ?? ""))) return at.get(stamp ?? "") ?? -1;
    if (!at.has(stamp)) at.set(stamp, time.push(stamp) - 1);
    return at.get(stamp)!;
  });
  const total = Math.max(rows, time?.length ?? end);
  const columns = Object.fromEntries(Object.entries(numbers.columns).map(([name, values]) => {
    const all = [...values, ...nothing(total - values.length)];
    later.columns[name]?.forEach((v, i) => {
      const row = place[i]!;
      if (row >= 0) all[row] ??= v;
    });
    return [name, all];
  }));
  return { ...(time && { time }), columns };
}

/** What the model is told of the rows from `cut` on; null: not all of it is there. */
export function futureAt(m: Model, series: Numbers, cut: number): Numbers | null {
  const names = knownColumns(m);
  const columns = Object.fromEntries(names.map((name) => [name, (series.columns[name] ?? []).slice(cut, cut + m.pred_len)]));
  return names.every((name) => columns[name]!.length === m.pred_len && columns[name]!.every((v) => v !== null)) ? { columns } : null;
}

/** The last row from `cut` on of which all that is known ahead is there; cut - 1: none. */
export function knownUntil(m: Model, series: Numbers, cut: number): number {
  let row = cut;
  while (row < cut + m.pred_len && knownColumns(m).every((name) => series.columns[name]?.[row] != null)) row++;
  return row - 1;
}
