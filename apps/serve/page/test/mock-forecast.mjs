// Forecasts for the mock: what was a season ago, drawn towards the last value; bands that widen.
import { problem } from "./mock.mjs";

export const SERIES_MODELS = [{ id: "harbour", kind: "forecast", seq_len: 168, pred_len: 48, columns: ["level_cm", "wind_ms", "air_c"], targets: ["level_cm", "wind_ms", "air_c"], has_levels: true }];
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
  return { rows: rows.length, names: kept.map(([n]) => n), gaps, ...(time && { time }), columns };
}

export function predict(ask, models) {
  const model = models.find((m) => m.id === ask.model);
  if (!model) throw problem(404, `no model ${ask.model}`);
  const H = model.pred_len, season = 24, columns = {}, bands = {};
  for (const [name, past] of Object.entries(ask.past.columns)) {
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
