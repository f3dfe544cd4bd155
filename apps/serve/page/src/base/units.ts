// Numbers with their units: as people write them (4.8k, 3.7uF, 1e-6), as the page shows them (4.80 kΩ), and as they are copied.

const PREFIXES: [string, number][] = [
  ["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3], ["", 1], ["m", 1e-3], ["µ", 1e-6], ["n", 1e-9], ["p", 1e-12], ["f", 1e-15],
];
const POWER: Record<string, number> = Object.fromEntries([...PREFIXES, ["u", 1e-6], ["μ", 1e-6], ["K", 1e3]]);
const UNIT_WORDS = /(ohms?|Ω|Ω|farads?|F|Hz|s|cm2|cm²)$/;

/** Digits that count, without an exponent where the prefix can take it. */
function significant(value: number, digits: number): string {
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.max(0, Math.min(12, digits - 1 - magnitude)));
}

/** 4820, "Ω" -> "4.82 kΩ"; what is not a finite number is a dash. */
export function withUnit(value: number | null | undefined, unit: string, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return unit ? `0 ${unit}` : "0";
  // Rounded first: 999.96 is 1.00 k, not 1000.
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  const [prefix, factor] = PREFIXES.find(([, f]) => size >= f) ?? PREFIXES[PREFIXES.length - 1]!;
  const text = significant(rounded / factor, digits);
  const tail = `${prefix}${unit}`;
  return tail ? `${text} ${tail}` : text;
}

/** A plain number for people: 12,345.6 with thin grouping, 3 or 4 digits that count. */
export function plain(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(Math.max(0, digits - 1)).replace("e+", "e");
  return new Intl.NumberFormat("en", { maximumSignificantDigits: Math.max(digits, Math.ceil(Math.log10(size + 1))) }).format(value);
}

export function percent(share: number | null | undefined, digits = 2): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  return share === 0 ? "0 %" : `${significant(100 * share, digits)} %`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${new Intl.NumberFormat("en").format(n)} ${n === 1 ? one : many}`;
}

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return "–";
  const steps: [number, string][] = [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]];
  const [factor, word] = steps.find(([f]) => n >= f) ?? [1, "bytes"];
  const value = n / factor;
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${word}`;
}

/** 3.2 s, 4 min 10 s, 2 h 5 min. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 1) return `${Math.round(1000 * seconds)} ms`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** "4.8k", "3.7 uF", "1e-6", "4,8k" -> a number; null if it is none. The same that the service's own reader takes. */
export function readQuantity(text: string): number | null {
  const bare = text.trim().replace(UNIT_WORDS, "").trim();
  const found = /^([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*([TGMkKmuµμnpf]?)$/.exec(bare);
  if (!found) return null;
  const value = Number(found[1]!.replace(",", ".")) * POWER[found[2]!]!;
  return Number.isFinite(value) ? value : null;
}
