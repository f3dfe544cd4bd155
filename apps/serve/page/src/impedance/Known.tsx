// What is known beforehand, with units, as people write it: 460, 4.8k, 3.7uF. Each change is asked about at once.
import { PARAMETERS } from "../api";
import { readQuantity, withUnit } from "../base/units";
import { change, choices, knownFaults, well } from "./state";
import { unitOf } from "./words";

const WHAT: Record<string, string> = {
  Rsh: "shunt, between the cells", Ra: "apical resistance", Rb: "basolateral resistance", Ca: "apical capacitance", Cb: "basolateral capacitance",
};

export function Known() {
  const c = choices.now.value;
  return (
    <section class="known" aria-labelledby="known">
      <h2 id="known">What is known</h2>
      <div class="fields">
        {PARAMETERS.map((name) => {
          const text = c.known[name] ?? "", value = readQuantity(text), fault = knownFaults.value[name];
          return (
            <div key={name} class="field">
              <label for={`known-${name}`}><b>{name}</b> <span class="quiet">{WHAT[name]}</span></label>
              <input
                id={`known-${name}`} value={text} inputMode="text" autocomplete="off" spellcheck={false} placeholder="unknown" aria-invalid={!!fault}
                aria-describedby={`told-${name}`} onInput={(e) => change(`${name} as known`, { known: { ...c.known, [name]: e.currentTarget.value } }, true)}
              />
              <span id={`told-${name}`} class={fault ? "told wrong" : "told"}>{fault ?? (value === null ? unitOf(name) : withUnit(value, unitOf(name)))}</span>
            </div>
          );
        })}
        <div class="field">
          <label for="area"><b>Area</b> <span class="quiet">of the membrane</span></label>
          <input
            id="area" value={c.area} placeholder={well.value?.spectrum.area_cm2 ? String(well.value.spectrum.area_cm2) : "unknown"} autocomplete="off"
            onInput={(e) => change("the area", { area: e.currentTarget.value }, true)}
          />
          <span class="told">cm²</span>
        </div>
        <div class="field">
          <label for="circuit"><b>Circuit</b> <span class="quiet">where Rsh is</span></label>
          <select id="circuit" value={c.circuit} onChange={(e) => change("the circuit", { circuit: e.currentTarget.value as "shunt" | "chain" })}>
            <option value="shunt">shunt: across both</option>
            <option value="chain">chain: in series</option>
          </select>
          <span class="told" />
        </div>
      </div>
    </section>
  );
}
