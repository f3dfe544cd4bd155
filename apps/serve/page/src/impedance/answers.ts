// Live answers: a change aborts what is under way; the exact answer comes at once, the refined one takes its place. The check of the data follows the
// points alone.
import { computed, effect, signal } from "@preact/signals";
import { DRAWN, type Checked, type CompleteRequest, type Completion } from "../api";
import { inWords, isAbort, post } from "../base/client";
import { asked, choices, known, knownFaults } from "./state";

/** Of the posterior: a circuit a row, columns as in DRAWN. */
export interface Draws {
  rows: number[][];
  weights: number[];
}

export interface Answered {
  completion: Completion;
  draws: Draws | null;
  request: CompleteRequest;
  /** Between question and answer, as seen from here. */
  ms: number;
}

export const answered = signal<Answered | null>(null);
export const checked = signal<Checked | null>(null);
export const doing = signal("");
export const fault = signal("");

/** Before the slower question: a hand that goes on typing asks it once. */
const REST_MS = 180;

const rest = (ms: number, stop: AbortSignal) =>
  new Promise<void>((done, failed) => {
    const timer = setTimeout(done, ms);
    stop.addEventListener("abort", () => (clearTimeout(timer), failed(new DOMException("", "AbortError"))));
  });

function drawsOf({ draws }: Completion): Draws | null {
  const columns = DRAWN.map((name) => draws?.[name] ?? []);
  const rows = columns[0]!.map((_, i) => columns.map((c) => c[i] ?? 0));
  return rows.length ? { rows, weights: draws?.weight ?? rows.map(() => 1) } : null;
}

async function ask(request: CompleteRequest, stop: AbortSignal): Promise<void> {
  const started = performance.now();
  const completion = await post<Completion>("api/v1/eis/complete", request, stop);
  if (!stop.aborted) answered.value = { completion, draws: drawsOf(completion), request, ms: performance.now() - started };
}

async function askAll(request: CompleteRequest, stop: AbortSignal): Promise<void> {
  try {
    doing.value = "asking for the exact answer";
    // The grid's answer has every combination counted; that of a chain is quick too.
    await ask({ ...request, options: { ...request.options, method: "exact" } }, stop);
    fault.value = "";
    doing.value = "refining between the grid's values";
    await rest(REST_MS, stop);
    await ask({ ...request, draws: true, options: { ...request.options, method: "refined" } }, stop);
    doing.value = "";
  } catch (reason) {
    if (stop.aborted || isAbort(reason)) return;
    doing.value = "";
    fault.value = inWords(reason);
  }
}

async function check(spectrum: NonNullable<CompleteRequest["spectrum"]>, stop: AbortSignal): Promise<void> {
  try {
    checked.value = await post<Checked>("api/v1/eis/check", { spectrum }, stop);
  } catch (reason) {
    if (!stop.aborted && !isAbort(reason)) checked.value = null;
  }
}

// As text: what was set to what it was asks nothing again.
const spectrumText = computed(() => JSON.stringify(asked.value));
const questionText = computed(() => {
  if (!asked.value) return "";
  if (Object.keys(knownFaults.value).length) return "wait";
  const circuit = choices.now.value.circuit;
  return JSON.stringify({ spectrum: asked.value, known: known.value, options: circuit === "chain" ? { circuit } : {} } satisfies CompleteRequest);
});

export function startAnswering(): () => void {
  let answering = new AbortController(), checking = new AbortController();
  const stopChecks = effect(() => {
    checking.abort();
    checking = new AbortController();
    const spectrum = JSON.parse(spectrumText.value) as CompleteRequest["spectrum"] | null;
    if (spectrum) void check(spectrum, checking.signal);
    else checked.value = null;
  });
  const stopAnswers = effect(() => {
    answering.abort();
    answering = new AbortController();
    const question = questionText.value;
    if (question === "wait") return;
    if (question) return void askAll(JSON.parse(question) as CompleteRequest, answering.signal);
    answered.value = null;
    doing.value = fault.value = "";
  });
  return () => {
    stopChecks();
    stopAnswers();
    answering.abort();
    checking.abort();
  };
}
