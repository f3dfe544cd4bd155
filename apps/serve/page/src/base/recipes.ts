// The same question as a command, as curl and in Python, ready to paste into a shell or a notebook.
import type { CompleteRequest, Spectrum } from "../api";

export interface Recipe {
  command: string;
  curl: string;
  python: string;
}

/** One word of a POSIX shell. */
export const quoted = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);

/** A literal of Python. */
export function pythonic(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(pythonic).join(", ")}]`;
  return `{${Object.entries(value as object).map(([k, v]) => `${JSON.stringify(k)}: ${pythonic(v)}`).join(", ")}}`;
}

export const curlOf = (address: string, path: string, body: unknown, hasToken: boolean) =>
  [`curl -s ${quoted(address + path)}`, hasToken ? `-H "Authorization: Bearer $TIDEMILL_TOKEN"` : "", "-H 'Content-Type: application/json'",
    `-d ${quoted(JSON.stringify(body))}`].filter(Boolean).join(" \\\n  ");

const options = (all: Record<string, unknown> = {}) =>
  Object.entries(all).map(([name, value]) => (value === true ? `--${name}` : `--${name} ${quoted(String(value))}`)).join(" ");

function spectrumCsv(s: Spectrum): string {
  return ["frequency_hz,z_re_ohm,z_im_ohm", ...s.freq_hz.map((f, i) => `${f},${s.z_re_ohm[i]},${s.z_im_ohm[i]}`)].join("\n");
}

/** The command reads the very points that were asked about from standard input, without those taken out. */
export function completeRecipe(request: CompleteRequest, address: string, hasToken: boolean): Recipe {
  const known = Object.entries(request.known ?? {});
  const s = request.spectrum;
  const words = [
    "tidemill eis complete", known.length ? `--known ${quoted(known.map(([k, v]) => `${k}=${v}`).join(","))}` : "", options(request.options),
    s?.area_cm2 ? `--area ${s.area_cm2}` : "", s ? "--spectrum spectrum.csv" : "",
  ].filter(Boolean).join(" ");
  const kwargs = [
    known.length ? `known=${pythonic(request.known)}` : "",
    ...Object.entries(request.options ?? {}).map(([k, v]) => `${k.replace(/-/g, "_")}=${pythonic(v)}`),
    s?.area_cm2 ? `area_cm2=${s.area_cm2}` : "",
  ].filter(Boolean);
  return {
    command: s ? `cat > spectrum.csv <<'END'\n${spectrumCsv(s)}\nEND\n${words}` : words,
    curl: curlOf(address, "api/v1/eis/complete", request, hasToken),
    python: [
      "import tidemill as tm", "",
      ...(s ? [
        `freq = ${pythonic(s.freq_hz)}  # Hz`,
        `z = [complex(re, im) for re, im in zip(${pythonic(s.z_re_ohm)},\n                                        ${pythonic(s.z_im_ohm)})]  # ohm`,
      ] : []),
      `answer = tm.eis.complete(${[...(s ? ["freq", "z"] : []), ...kwargs].join(", ")})`, "print(answer)",
    ].join("\n"),
  };
}
