// From files to spectra: each goes to the service as it is, which reads what instruments write. A file that is none says why, and the rest goes on.
import type { SpectraRead, Spectrum } from "../api";
import { inWords, send } from "../base/client";
import type { Dropped } from "../shell/Drop";
import type { Well } from "./state";

export interface Reading {
  wells: Well[];
  faults: string[];
}

const AT_ONCE = 4;

async function readOne({ path, file }: Dropped): Promise<Well[]> {
  const answer = await send("api/v1/eis/read", { method: "POST", body: file, type: "application/octet-stream", query: { name: file.name } });
  const found = (await answer.json()) as SpectraRead;
  return found.sweeps.map((spectrum, i) => ({
    name: found.sweeps.length === 1 ? file.name : `${file.name} · ${spectrum.name || `sweep ${i + 1}`}`, file: path, spectrum, notes: found.notes ?? [],
  }));
}

export async function readFiles(files: Dropped[], progress: (done: number) => void): Promise<Reading> {
  const found: (Well[] | string)[] = [];
  let next = 0, done = 0;
  const worker = async () => {
    while (next < files.length) {
      const i = next++;
      try {
        found[i] = await readOne(files[i]!);
      } catch (reason) {
        const { path, file } = files[i]!, words = inWords(reason);
        found[i] = words.startsWith(`${file.name}:`) ? words : `${path}: ${words}`;
      }
      progress(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, files.length) }, worker));
  return { wells: found.filter((f): f is Well[] => Array.isArray(f)).flat(), faults: found.filter((f): f is string => typeof f === "string") };
}

/** The circuit of the guide, made by the service: 1 % noise, membranes that differ. */
export async function sample(): Promise<Well[]> {
  const body = { known: { Rsh: 460, Ra: 4820, Rb: 2210, Ca: 1.2e-6, Cb: 4.7e-6 }, options: { rs: 20, noise: 0.01, seed: 7 } };
  const made = (await (await send("api/v1/eis/simulate", { json: body, method: "POST" })).json()) as Spectrum;
  const spectrum = { freq_hz: made.freq_hz, z_re_ohm: made.z_re_ohm, z_im_ohm: made.z_im_ohm, name: "sample" };
  return [{ name: "sample", file: "made by the service", spectrum, notes: ["Made with Rsh 460 Ω, Ra 4.82 kΩ, Rb 2.21 kΩ, Ca 1.2 µF, Cb 4.7 µF, Rs 20 Ω and 1 % noise."] }];
}

/** A plate of 24 wells to try: TER from 150 to 900 ohm, one well with next to no tissue. */
export async function samplePlate(progress: (done: number, of: number) => void): Promise<Well[]> {
  const names = ["A", "B", "C", "D"].flatMap((row) => [1, 2, 3, 4, 5, 6].map((column) => `${row}${column}`));
  const found: Well[] = [];
  for (const [i, name] of names.entries()) {
    const body = { known: { Rsh: 180 + 31 * i, Ra: 4820, Rb: 2210, Ca: 1.2e-6, Cb: 4.7e-6 }, options: { rs: 20, noise: i === 9 ? 0.12 : 0.01, seed: i + 1 } };
    const made = (await (await send("api/v1/eis/simulate", { json: body, method: "POST" })).json()) as Spectrum;
    found.push({ name, file: "made by the service", spectrum: { ...made, name }, notes: [] });
    progress(i + 1, names.length);
  }
  return found;
}
