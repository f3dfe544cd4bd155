// Wells of a plate: where a file's or a sweep's name says it stands.

export interface Place {
  row: number;
  column: number;
}

/** "plate1_B07.csv" -> row 1, column 6; null if the name tells of no well. Up to 384 wells: rows A to P, columns 1 to 24. */
export function placeOf(name: string): Place | null {
  const bare = name.replace(/\.[A-Za-z0-9]{1,5}$/, "");
  const found = [...bare.matchAll(/(?<![A-Za-z0-9])([A-Pa-p])0?([1-9]|1\d|2[0-4])(?!\d)(?![A-Za-z])/g)].pop();
  return found ? { row: found[1]!.toUpperCase().charCodeAt(0) - 65, column: Number(found[2]) - 1 } : null;
}

export interface Layout {
  rows: number;
  columns: number;
  /** Which spectrum stands there; null: none. */
  at: (number | null)[][];
  /** By their names, as on the plate; otherwise in the order in which they came. */
  named: boolean;
}

const PLATES: [number, number][] = [[2, 3], [3, 4], [4, 6], [6, 8], [8, 12], [16, 24]];

/** The smallest common plate that holds them. Two wells of one name, or names that tell nothing, are laid out in order. */
export function layoutOf(names: string[]): Layout {
  const places = names.map(placeOf);
  const keys = new Set(places.map((p) => (p ? `${p.row} ${p.column}` : "")));
  const named = !keys.has("") && keys.size === names.length;
  const spots = named ? (places as Place[]) : inOrder(names.length);
  const most = spots.reduce((m, p) => ({ row: Math.max(m.row, p.row), column: Math.max(m.column, p.column) }), { row: 0, column: 0 });
  const [rows, columns] = (named ? PLATES.find(([r, c]) => r > most.row && c > most.column) : undefined) ?? [most.row + 1, most.column + 1];
  const at: (number | null)[][] = Array.from({ length: rows }, () => Array<number | null>(columns).fill(null));
  spots.forEach((p, i) => (at[p.row]![p.column] = i));
  return { rows, columns, at, named };
}

function inOrder(count: number): Place[] {
  const columns = Math.min(12, Math.ceil(Math.sqrt(1.5 * count)));
  return Array.from({ length: count }, (_, i) => ({ row: Math.floor(i / columns), column: i % columns }));
}

export const rowName = (row: number) => String.fromCharCode(65 + row);
