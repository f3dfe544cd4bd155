// The circuit of the impedance guide in a few lines, for what the page draws from an answer's parameters: the fit at the measured frequencies,
// bands of many circuits, and the fibre. The answers themselves are the service's.
import type { Parameter } from "../api";

export type Values = Record<Parameter, number> & { Rs: number };
export interface Complex {
  re: number;
  im: number;
}

/** Z of R and C side by side: R / (1 + i w R C). */
function membrane(r: number, c: number, w: number): Complex {
  const x = w * r * c, down = 1 + x * x;
  return { re: r / down, im: (-r * x) / down };
}

/** shunt: Rs + Rsh || (Za + Zb); chain: Rs + Rsh + Za + Zb. e^(iwt), so a capacitance has a negative imaginary part. */
export function impedance(p: Values, hz: number, circuit: "shunt" | "chain"): Complex {
  const w = 2 * Math.PI * hz;
  const a = membrane(p.Ra, p.Ca, w), b = membrane(p.Rb, p.Cb, w);
  const re = a.re + b.re, im = a.im + b.im;
  if (circuit === "chain") return { re: p.Rs + p.Rsh + re, im };
  if (!Number.isFinite(p.Rsh)) return { re: p.Rs + re, im };
  // Rsh z / (Rsh + z), multiplied out with the conjugate.
  const sum = p.Rsh + re, down = sum * sum + im * im;
  return { re: p.Rs + (p.Rsh * (re * sum + im * im)) / down, im: (p.Rsh * im * p.Rsh) / down };
}

export interface Invariants {
  r0: number;
  n1: number;
  d1: number;
  d2: number;
}

/** What a spectrum of the shunt circuit tells, four numbers: Z - Rs = R0 (1 + s n1) / (1 + s d1 + s^2 d2). */
export function invariantsOf(p: Values): Invariants {
  const ta = p.Ra * p.Ca, tb = p.Rb * p.Cb, sum = p.Ra + p.Rb;
  const n1 = (p.Ra * tb + p.Rb * ta) / sum;
  const whole = p.Rsh + sum;
  return { r0: (p.Rsh * sum) / whole, n1, d1: (p.Rsh * (ta + tb) + sum * n1) / whole, d2: (p.Rsh * ta * tb) / whole };
}

/** The circuit of those invariants with g = (Ra + Rb) / Rsh; null where there is none. */
export function fibreAt(q: Invariants, g: number): Omit<Values, "Rs"> | null {
  const r = (1 + g) * q.r0;
  const sum = (1 + g) * q.d1 - g * q.n1, product = (1 + g) * q.d2;
  const square = sum * sum - 4 * product;
  if (!(square > 0 && sum > 0 && product > 0)) return null;
  const slow = (sum + Math.sqrt(square)) / 2, fast = product / slow;
  if (!(slow > q.n1 && q.n1 > fast)) return null;
  const ra = (r * (slow - q.n1)) / (slow - fast), rb = (r * (q.n1 - fast)) / (slow - fast);
  return { Rsh: r / g, Ra: ra, Rb: rb, Ca: slow / ra, Cb: fast / rb };
}

/** The quantile of values with weights (all alike where there are none). */
export function quantile(values: readonly number[], q: number, weights?: readonly number[]): number {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const total = weights ? order.reduce((s, i) => s + weights[i]!, 0) : order.length;
  let passed = 0;
  for (const i of order) {
    passed += weights ? weights[i]! : 1;
    if (passed >= q * total) return values[i]!;
  }
  return values[order[order.length - 1]!] ?? NaN;
}
