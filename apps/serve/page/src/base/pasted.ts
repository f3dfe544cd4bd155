// A spectrum that was pasted: three columns of numbers, whatever parts them, with or without names over them.
// Files of instruments are not read here: those go to the service as they are.
import type { Spectrum } from "../api";

export type Pasted = { spectrum: Spectrum; note: string } | { fault: string };

const SEPARATORS: [RegExp, string][] = [[/\t/, "tabs"], [/;/, "semicolons"], [/,/, "commas"], [/\s+/, "blanks"]];

const cells = (line: string, separator: RegExp) => line.trim().split(separator).map((cell) => cell.trim()).filter((c, i, all) => c || i < all.length - 1);

/** A decimal comma is only there where commas do not part the columns. */
function number(cell: string, comma: boolean): number {
  return cell === "" ? NaN : Number(comma ? cell.replace(",", ".") : cell);
}

function columnsOf(header: string[] | null): { freq: number; re: number; im: number; minus: boolean } {
  const at = (pattern: RegExp, otherwise: number) => {
    const found = header?.findIndex((name) => pattern.test(name)) ?? -1;
    return found >= 0 ? found : otherwise;
  };
  const im = at(/\bim|z_?im|z''|z"/i, 2);
  return { freq: at(/freq|^f\b|hz/i, 0), re: at(/\bre|z_?re|z'(?!')/i, 1), im, minus: /^\s*[-−–]/.test(header?.[im] ?? "") };
}

/** What a paste means, or why it means nothing. Points keep their order; rows that are not numbers say where they are. */
export function readPasted(text: string): Pasted {
  const lines = text.split(/\r?\n/).map((line, i) => ({ line, row: i + 1 })).filter(({ line }) => line.trim() && !/^\s*[#%]/.test(line));
  if (!lines.length) return { fault: "Nothing was pasted." };
  const first = lines[Math.min(1, lines.length - 1)]!.line;
  const separator = SEPARATORS.find(([pattern]) => first.trim().split(pattern).length >= 3);
  if (!separator) return { fault: "Three columns are wanted: frequency in Hz, real and imaginary part in Ω." };
  const comma = separator[1] !== "commas";
  const rows = lines.map(({ line, row }) => ({ row, cells: cells(line, separator[0]) }));
  const named = rows[0]!.cells.some((cell) => Number.isNaN(number(cell, comma)));
  const header = named ? rows.shift()!.cells : null;
  const { freq, re, im, minus } = columnsOf(header);
  const spectrum: Spectrum = { freq_hz: [], z_re_ohm: [], z_im_ohm: [], name: "pasted" };
  for (const row of rows) {
    const [f, r, i] = [freq, re, im].map((at) => number(row.cells[at] ?? "", comma));
    if (![f, r, i].every((v) => Number.isFinite(v))) return { fault: `Row ${row.row} has no three numbers: ${row.cells.join("  ")}` };
    if (f! <= 0) return { fault: `Row ${row.row}: a frequency of ${f} Hz; frequencies are positive.` };
    spectrum.freq_hz.push(f!);
    spectrum.z_re_ohm.push(r!);
    spectrum.z_im_ohm.push(minus ? -i! : i!);
  }
  if (spectrum.freq_hz.length < 5) return { fault: `${spectrum.freq_hz.length} points; an answer wants at least 5.` };
  const sign = minus ? "; the third column is −Im(Z), by its name" : "";
  return { spectrum, note: `${spectrum.freq_hz.length} points, parted by ${separator[1]}${sign}` };
}
