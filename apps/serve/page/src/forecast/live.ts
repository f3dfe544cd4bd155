// The forecast at the cut-off, live: at most one request under way, the newest wins.
import { effect, signal } from "@preact/signals";
import type { Model, Numbers, Predicted, PredictRequest } from "../api";
import { inWords } from "../base/client";
import { newestWins } from "../base/live";
import { withBaselines } from "./baselines";
import { futureAt, knownColumns, ownColumns } from "./ahead";
import { ask } from "./brief";
import { choices, cut, later, model, series, source, table } from "./state";
import type { Understood } from "./understood";

export interface Shown {
  predicted: Predicted;
  request: PredictRequest;
  cut: number;
  ms: number;
}

export const LEVELS = [80, 95];
export const forecast = signal<Shown | null>(null);
export const fault = signal("");

/** The model's look-back before row `at`, of its columns alone, and what it is told of the rows to come. Null: not all of that is there. */
export function requestAt(m: Model, s: Numbers, at: number): PredictRequest | null {
  const from = Math.max(0, at - m.seq_len), future = futureAt(m, s, at);
  if (!future) return null;
  return {
    model: m.id, level: m.has_levels ? LEVELS : [],
    past: {
      ...(s.time && { time: s.time.slice(from, at) }),
      columns: Object.fromEntries(ownColumns(m).map((name) => [name, s.columns[name]!.slice(from, at)])),
    },
    ...(knownColumns(m).length ? { future } : {}),
  };
}

export const lacking = (m: Model, t: Understood) => ownColumns(m).filter((name) => !(name in t.numbers.columns));

export const predict = async (request: PredictRequest, at: number, stop: AbortSignal) =>
  withBaselines(await ask(request, later.peek() ? null : source.peek(), choices.now.peek().options, at, stop), request.past, table.peek()?.time?.step ?? "");

export function startForecasting(): () => void {
  const live = newestWins<{ request: PredictRequest; at: number }, Shown>(
    async ({ request, at }, stop) => {
      const started = performance.now();
      const predicted = await predict(request, at, stop);
      return { predicted, request, cut: at, ms: performance.now() - started };
    },
    (answer) => {
      forecast.value = answer;
      fault.value = "";
    },
    (reason) => (fault.value = inWords(reason)),
  );
  const stop = effect(() => {
    const m = model.value, t = table.value, at = cut.value;
    if (!m || !t || lacking(m, t).length) {
      live.stop();
      forecast.value = null;
      fault.value = m && t ? `The model ${m.id} forecasts from columns that this file has not: ${lacking(m, t).join(", ")}. Choose another model, or train one on this file.` : "";
      return;
    }
    const request = requestAt(m, series.value, at);
    if (request) return live.ask({ request, at });
    live.stop();
    forecast.value = null;
    fault.value = "";
  });
  return () => (stop(), live.stop());
}
