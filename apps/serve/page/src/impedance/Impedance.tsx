// The impedance screen: from a dropped file to what it says, and what it cannot say.
import { useEffect, useState } from "preact/hooks";
import { readPasted } from "../base/pasted";
import { inWords } from "../base/client";
import { count, withUnit } from "../base/units";
import { extent } from "../chart/scale";
import { Drop, type Dropped } from "../shell/Drop";
import { later } from "../shell/later";
import { UndoBar } from "../shell/UndoBar";
import { Fault, Working } from "../shell/Working";
import { answered, startAnswering } from "./answers";
import { Answer } from "./Answer";
import { Known } from "./Known";
import { readFiles, sample, samplePlate } from "./read";
import { Bode, Nyquist, Residuals } from "./SpectrumCharts";
import { change, choices, close, followAddress, open, out, well, wells, type Well } from "./state";
import { Verdict } from "./Verdict";

const Plate = later(() => import("./Plate").then((m) => m.Plate));
const Posterior = later(() => import("./Posterior").then((m) => m.Posterior));

interface Doing {
  what: string;
  done: number;
  of: number;
}

export function Impedance() {
  const [doing, setDoing] = useState<Doing | null>(null);
  const [faults, setFaults] = useState<string[]>([]);
  useEffect(() => {
    const stopAddress = followAddress(() => setFaults(["The spectrum of this address is not kept in this browser: drop its file again."]));
    const stopAnswers = startAnswering();
    return () => (stopAddress(), stopAnswers());
  }, []);

  const bring = async (what: string, work: () => Promise<Well[]>) => {
    setDoing({ what, done: 0, of: 0 });
    setFaults([]);
    try {
      const found = await work();
      if (found.length) await open(found);
    } catch (reason) {
      setFaults([inWords(reason)]);
    }
    setDoing(null);
  };
  const files = (dropped: Dropped[]) => dropped.length && bring("reading", async () => {
    const found = await readFiles(dropped, (done) => setDoing({ what: `reading ${count(dropped.length, "file")}`, done, of: dropped.length }));
    setFaults(found.faults);
    return found.wells;
  });
  const paste = (text: string) => {
    const found = readPasted(text);
    if ("fault" in found) return setFaults([found.fault]);
    void bring("reading what was pasted", async () => [{ name: "pasted", file: "pasted", spectrum: found.spectrum, notes: [found.note] }]);
  };
  const told = (
    <>
      {doing && <Working what={doing.what} done={doing.done} of={doing.of} />}
      {faults.length > 0 && <Fault what={faults.slice(0, 5).join(" · ") + (faults.length > 5 ? ` · and ${faults.length - 5} more` : "")} />}
    </>
  );
  if (!well.value)
    return (
      <div class="welcome">
        <h1>What does this spectrum say?</h1>
        <p class="lead">Drop an impedance spectrum, an instrument's file as it is, or a folder of wells. The resistance, the capacitance and what stays open are there at once.</p>
        <Drop label="Choose files" folder many onFiles={files} onPaste={paste} />
        {told}
        <p class="samples">
          <span class="quiet">Nothing at hand?</span>
          <button class="text" onClick={() => bring("making a sample spectrum", sample)}>Try a sample spectrum</button>
          <button class="text" onClick={() => bring("making a plate", () => samplePlate((done, of) => setDoing({ what: "making a plate of 24 wells", done, of })))}>Try a sample plate</button>
        </p>
      </div>
    );
  return (
    <>
      <Heading well={well.value} onFiles={files} />
      {told}
      {wells.value.length > 1 && <Plate />}
      <Verdict />
      <div class="workbench">
        <div class="plots">
          <Nyquist />
          <Bode />
          <Residuals />
          {answered.value && <Posterior answered={answered.value} />}
        </div>
        <aside>
          <Known />
          <Answer />
        </aside>
      </div>
    </>
  );
}

function Heading({ well: w, onFiles }: { well: Well; onFiles: (files: Dropped[]) => void }) {
  const [low, high] = extent(w.spectrum.freq_hz) ?? [0, 0];
  return (
    <div class="heading">
      <div>
        <h1>{w.name}</h1>
        <p class="sentence">
          {count(w.spectrum.freq_hz.length, "point")} from {withUnit(high, "Hz")} to {withUnit(low, "Hz")}{out.value.size ? `, ${out.value.size} of them not in the fit` : ""}.{" "}
          <span class="quiet">{w.notes.join(" ")}</span>
        </p>
      </div>
      <div class="tools">
        <UndoBar of={choices} />
        {out.value.size > 0 && <button class="text" onClick={() => change("put all points back", { out: { ...choices.now.value.out, [choices.now.value.at]: [] } })}>Put all points back</button>}
        <Drop label="Another file" small folder many onFiles={onFiles}><button class="plain" onClick={close}>Start over</button></Drop>
      </div>
    </div>
  );
}
