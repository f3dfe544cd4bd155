// A training to look at: short, on the made-up harbour.
import type { Job, Upload } from "../api";
import { post, send } from "../base/client";
import { sampleSeries } from "../forecast/sample";
import { list } from "./state";

export async function trySample(): Promise<string> {
  const upload = (await (await send("api/v1/uploads", { method: "POST", body: sampleSeries(), type: "text/csv", query: { name: "harbour.csv" } })).json()) as Upload;
  const job = await post<Job>("api/v1/jobs", { command: "forecast train", upload: upload.id, options: { "pred-len": 24, "seq-len": 96, epochs: 3 } });
  await list();
  return job.id;
}
