// Forecasts for the mock: what was a season ago, drawn towards the last value; bands that widen.
import { problem } from "./mock.mjs";

export const SERIES_MODELS = [{ id: "harbour", kind: "forecast", seq_len: 168, pred_len: 48, columns: ["level_cm", "wind_ms", "air_c"], targets: ["level_cm", "wind_ms", "air_c"], known_ahead: 0, holidays: 0, takes_gaps: false, has_levels: true }];
/** One that is told the wind of the rows to come, and has a column of holidays, which follow from the times. */
export const KNOWN_MODEL = { ...SERIES_MODELS[0], id: "informed", columns: ["level_cm", "air_c", "wind_ms", "holiday"], targets: ["level_cm", "air_c"], known_ahead: 2, holidays: 1 };
const Z = { 80: 1.2816, 95: 1.96 };

export function readTable(text, query) {
  const sep = query.sep || [",", ";", "\t"].find((c) => text.split("\n", 1)[0].includes(c));
  if (!sep) throw problem(422, "no columns were found: the first row has nothing that parts its cells", [{ message: "cells parted by commas, semicolons or tabs would be accepted", row: 1 }]);
  const lines = text.trim().split(/\r?\n/).map((l) => l.split(sep));
  const names = lines[0], timed = /time|date|ds/i.test(names[0]) ? 0 : -1;
  const ignored = (query.ignore ?? "").split(",");
  const rows = lines.slice(1);
  const kept = names.map((n, i) => [n, i]).filter(([n, i]) => i !== timed && !ignored.includes(n));
  rows.forEach((r, i) => kept.forEach(([name, at]) => {
    if (r[at] !== "" && !Number.isFinite(Number(r[at].replace(query.decimal === "," ? "," : ".", ".")))) throw problem(422, `row ${i + 2}, column ${name}: ${r[at]} is no number`, [{ message: `${r[at]} is no number`, row: i + 2, column: name }]);
  }));
  const columns = Object.fromEntries(kept.map(([name, at]) => [name, rows.map((r) => (r[at] === "" ? null : Number(r[at])))]));
  const time = timed < 0 ? undefined : rows.map((r) => r[timed]);
  const gaps = Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values.filter((v) => v === null).length]));
  return { rows: rows.length, names: kept.map(([n]) => n), gaps, found: timed < 0 ? {} : { freq: "h", "time-column": names[timed] }, notes: [], ...(time && { time }), columns };
}

/** As the service: each column that is known ahead, of all rows to come. */
function told(ask, model) {
  for (const name of model.columns.slice(-model.known_ahead || model.columns.length, model.columns.length - model.holidays)) {
    const ahead = ask.future?.columns[name];
    if (model.known_ahead && (ahead?.length !== model.pred_len || ahead.some((v) => v === null))) throw problem(422, `${name} of the rows to come is missing`, [{ pointer: `/future/columns/${name}`, message: `${model.pred_len} numbers are wanted` }]);
  }
}

/** Rows that add up to 1, and differ from window to window. */
export function attention(ask, models) {
  const model = models.find((m) => m.id === ask.model);
  told(ask, model);
  const tokens = [...model.columns.slice(0, model.columns.length - model.known_ahead), "hour of day", "day of week", ...model.columns.slice(model.columns.length - model.known_ahead)];
  const last = ask.past.columns[model.targets[0]].at(-1);
  const row = (i, layer) => {
    const all = tokens.map((_, j) => 1 + Math.sin(3 * i + 5 * j + layer + last));
    return all.map((v) => v / all.reduce((a, b) => a + b, 0));
  };
  return { attention: [1, 2].map((layer) => ({ model: "itransformer", layer, tokens, weights: tokens.map((_, i) => row(i, layer)) })) };
}

/** A cut in an upload as the rows before it, and those behind it that are known ahead. */
function rowsOf(ask, model, uploads) {
  const text = uploads.get(ask.upload)?.text;
  if (text === undefined) throw problem(404, `no upload ${ask.upload}`);
  const { time, columns } = readTable(text, ask.options ?? {});
  const part = (from, to) => Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values.slice(from, to)]));
  return { ...ask, past: { ...(time && { time: time.slice(0, ask.cut) }), columns: part(0, ask.cut) }, future: { columns: part(ask.cut, ask.cut + model.pred_len) } };
}

export function predict(asked, models, uploads) {
  const model = models.find((m) => m.id === asked.model);
  if (!model) throw problem(404, `no model ${asked.model}`);
  const ask = asked.cut ? rowsOf(asked, model, uploads) : asked;
  const H = model.pred_len, season = 24, columns = {}, bands = {};
  told(ask, model);
  for (const name of model.targets) {
    const past = ask.past.columns[name];
    const known = past.map((v, i) => v ?? past[i - 1] ?? 0), n = known.length, at = (i) => known[Math.max(0, Math.min(n - 1, i))];
    if (n < model.seq_len) throw problem(422, `${n} rows of past; the model looks back ${model.seq_len}`, [{ pointer: `/past/columns/${name}`, message: "too short" }]);
    // 25 hours ago for a tide, 24 for a day: the mean of both, and a share of the last error.
    const before = (k) => 0.6 * at(n + k - 25 * Math.ceil((k + 1) / 25)) + 0.4 * at(n + k - season * Math.ceil((k + 1) / season));
    const off = known.slice(-48).map((v, i) => v - at(n - 48 + i - 25)), sd = Math.sqrt(off.reduce((s, v) => s + v * v, 0) / 48) || 1e-6;
    columns[name] = Array.from({ length: H }, (_, k) => before(k) + 0.5 * (at(n - 1) - before(-1)) * 0.9 ** k);
    bands[name] = Object.fromEntries(ask.level.map((l) => [String(l), {
      low: columns[name].map((v, k) => v - Z[l] * sd * (0.5 + 0.5 * Math.sqrt((k + 1) / H))), high: columns[name].map((v, k) => v + Z[l] * sd * (0.5 + 0.5 * Math.sqrt((k + 1) / H))),
    }]));
  }
  const end = ask.past.time?.at(-1), hour = 3_600_000;
  const time = end && Array.from({ length: H }, (_, k) => new Date(Date.parse(end.replace(" ", "T") + "Z") + (k + 1) * hour).toISOString().slice(0, 19).replace("T", " "));
  return { ...(time && { time }), columns, bands };
}
