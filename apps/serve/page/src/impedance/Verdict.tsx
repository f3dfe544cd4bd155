// Whether the spectrum can be believed, in the check's own words. A fault's points can be taken out at once.
import { withUnit } from "../base/units";
import { checked } from "./answers";
import { askedPoints, change, choices, out, well } from "./state";

const MEANS: Record<string, string> = {
  sound: "Sound: nothing speaks against these data.", flawed: "To be looked at:", unfit: "Not fit to be used:",
};

export function Verdict() {
  const c = checked.value, w = well.value;
  if (!c || !w) return null;
  const takeOut = (points: number[]) => {
    const { at, out: all } = choices.now.value;
    const originals = points.map((p) => askedPoints.value[p - 1]!).filter((p) => p !== undefined);
    change(`took out ${originals.length} points of a fault`, { out: { ...all, [at]: [...new Set([...out.value, ...originals])].sort((a, b) => a - b) } });
  };
  return (
    <section class={`verdict ${c.verdict in MEANS ? c.verdict : "flawed"}`} aria-labelledby="verdict">
      <h2 id="verdict" class="away">Verdict on the data</h2>
      <p><b>{MEANS[c.verdict] ?? `${c.verdict}:`}</b></p>
      {c.faults.length > 0 && (
        <ul>
          {c.faults.map((f) => (
            <li key={f.message}>
              {f.message}
              {f.points.length > 0 && f.points.length < w.spectrum.freq_hz.length / 2 && (
                <button class="text" onClick={() => takeOut(f.points)}>
                  take out {f.points.length === 1 ? `the point at ${withUnit(w.spectrum.freq_hz[askedPoints.value[f.points[0]! - 1] ?? 0], "Hz")}` : `these ${f.points.length} points`}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
