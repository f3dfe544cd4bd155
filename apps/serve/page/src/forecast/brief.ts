// A cut-off that is dragged sends where it stands, not all that came before it: with its second question the file is brought to the service, once.
// Where that cannot be (no folder for uploads, an upload that has gone, a service that knows of no cut), the rows go with each question.
import type { Predicted, PredictRequest, Upload } from "../api";
import { post, Refused, send } from "../base/client";
import type { Source } from "./state";

interface Brought {
  of: Source;
  questions: number;
  id: string;
}

let brought: Brought | null = null;
let knowsCuts = true;

async function bring(file: Brought): Promise<void> {
  try {
    const upload = (await (await send("api/v1/uploads", { method: "POST", body: file.of.text, type: "text/csv", query: { name: file.of.name } })).json()) as Upload;
    file.id = upload.id;
  } catch {
    // Then each question has its rows.
  }
}

/** The upload of this file, once it is there. */
function uploadOf(of: Source): string {
  if (brought?.of !== of) brought = { of, questions: 0, id: "" };
  if (++brought.questions === 2 && knowsCuts) void bring(brought);
  return brought.id;
}

/** Is it the short form that was refused, and not what is asked? */
function isOfForm(reason: unknown): boolean {
  if (!(reason instanceof Refused)) return false;
  const { status, errors } = reason.problem;
  return status === 404 || status === 413 || (status === 422 && !!errors?.some((e) => /^\/(cut|upload)$/.test(e.pointer ?? "")));
}

/** `of`: the file whose rows, read with `options`, the request has, those before `cut`; null: not all of them are of one file. */
export async function ask(request: PredictRequest, of: Source | null, options: Record<string, string>, cut: number, stop: AbortSignal): Promise<Predicted> {
  const upload = of && knowsCuts ? uploadOf(of) : "";
  if (upload) {
    try {
      const { model, level } = request;
      return await post<Predicted>("api/v1/forecast/predict", { model, level, upload, cut, ...(Object.keys(options).length ? { options } : {}) }, stop);
    } catch (reason) {
      if (!isOfForm(reason)) throw reason;
      knowsCuts = false;
    }
  }
  return post<Predicted>("api/v1/forecast/predict", request, stop);
}
