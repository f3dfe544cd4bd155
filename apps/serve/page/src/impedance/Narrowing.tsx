// The measurement that would narrow the answer most.
import { useMemo } from "preact/hooks";
import type { Answered } from "./answers";
import { percent } from "../base/units";
import { mostNarrowing } from "./narrow";

export function Narrowing({ answered: { completion: c, draws } }: { answered: Answered }) {
  const best = useMemo(() => mostNarrowing(draws?.rows ?? [], draws?.weights, c.missing_params), [c, draws]);
  if (!best || best.by < 0.05) return null;
  return <p class="hint">Measuring <b>{best.parameter}</b> would narrow the others most: their spread by about {percent(best.by, 2)}.</p>;
}
