// Jobs for the mock: each goes on by a step every 40 ms, so a test sees it move; what it says depends on its number alone.
const STEPS = 60, EPOCHS = 3, EVERY_MS = 40;
const loss = (step, seed) => 0.9 * Math.exp(-step / 18) + 0.12 + 0.02 * seed + 0.03 * Math.sin(step * 1.7 + seed);

const cli = (command, options, upload) =>
  `tidemill ${command} ${Object.entries(options).map(([k, v]) => `--${k} ${v}`).join(" ")}${upload ? ` --data uploads/${upload}` : ""} --out jobs/run`;

export function makeJobs({ empty, result }) {
  const jobs = { all: [], result, onDone: () => {}, stop: () => jobs.all.forEach((j) => clearInterval(j.timer)) };
  jobs.begin = ({ command, options = {}, upload, model }, done = false) => {
    const number = jobs.all.length + 1;
    const job = {
      id: `run-${number}`, number, command, options, state: "running", progress: { stage: "training", epoch: 1, epochs: EPOCHS, batch: 0, batches: STEPS / EPOCHS, step: 0, loss: null, val_loss: null, seconds: 0, seconds_left: 2.4 },
      message: null, created: "2026-01-01T10:00:00Z", started: "2026-01-01T10:00:00Z", ended: null, exit: null, cli: cli(command, options, upload ?? model), listeners: new Set(), metrics: { step: [], loss: [], val_loss: [] }, log: [],
    };
    jobs.all.unshift(job);
    if (done) while (job.state === "running") tick(jobs, job);
    else run(jobs, job);
    return job;
  };
  if (!empty) {
    jobs.begin({ command: "forecast train", options: { "pred-len": 48, "seq-len": 168, "learning-rate": 0.0001 } }, true);
    jobs.begin({ command: "forecast train", options: { "pred-len": 48, "seq-len": 168, "learning-rate": 0.001, dropout: 0.1 } }, true);
  }
  return jobs;
}

function tell(job, event, data) {
  for (const res of job.listeners) res.write(`id: ${job.metrics.step.length}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function tick(jobs, job) {
  const step = job.progress.step + 1, epoch = Math.ceil(step / (STEPS / EPOCHS));
  const value = loss(step, job.number % 3), check = step % (STEPS / EPOCHS) === 0 ? value * 1.1 : null;
  job.progress = { ...job.progress, step, epoch, batch: step - (epoch - 1) * (STEPS / EPOCHS), loss: value, val_loss: check ?? job.progress.val_loss, seconds: step * 0.04, seconds_left: (STEPS - step) * 0.04 };
  job.metrics.step.push(step), job.metrics.loss.push(value), job.metrics.val_loss.push(check);
  tell(job, "progress", { ...job.progress, val_loss: check });
  if (check !== null) {
    job.log.push(`epoch ${epoch}: loss ${value.toFixed(4)}, validation ${check.toFixed(4)}`);
    tell(job, "log", { line: job.log.at(-1) });
  }
  if (step >= STEPS) end(jobs, job, "done", 0);
}

function run(jobs, job) {
  job.timer = setInterval(() => tick(jobs, job), EVERY_MS);
}

function end(jobs, job, state, exit) {
  clearInterval(job.timer);
  Object.assign(job, { state, exit, ended: "2026-01-01T10:01:00Z" });
  tell(job, "state", { state, exit });
  for (const res of job.listeners) res.end();
  job.listeners.clear();
  if (state === "done") jobs.onDone(job);
}

const shown = ({ id, command, options, state, progress, message, created, started, ended, exit, cli: line }) => ({ id, command, options, state, progress, message, created, started, ended, exit, cli: line });

/** Answers what is under /api/v1/jobs; false: another's. */
export function jobRoutes(jobs, req, res, path, body, json) {
  const found = /^\/api\/v1\/jobs(?:\/([\w-]+))?(?:\/(events|cancel|resume|log|metrics|result))?$/.exec(path);
  if (!found) return false;
  const [, id, what] = found, job = jobs.all.find((j) => j.id === id);
  if (!id) json(res, req.method === "POST" ? shown(jobs.begin(JSON.parse(body))) : { jobs: jobs.all.map(shown) }, req.method === "POST" ? 202 : 200);
  else if (!job) json(res, { title: "Not found", status: 404, detail: `no job ${id}` }, 404);
  else if (req.method === "DELETE") (jobs.all.splice(jobs.all.indexOf(job), 1), res.writeHead(204).end());
  else if (what === "cancel") (end(jobs, job, "stopped", 130), json(res, shown(job)));
  else if (what === "resume") (Object.assign(job, { state: "running", ended: null, exit: null }), run(jobs, job), json(res, shown(job)));
  else if (what === "log") res.writeHead(200, { "Content-Type": "text/plain" }).end(job.log.join("\n"));
  else if (what === "metrics") json(res, job.metrics);
  else if (what === "result") json(res, jobs.result());
  else if (what === "events") {
    res.writeHead(200, { "Content-Type": "text/event-stream" });
    res.write(": here\n\n");
    if (job.state !== "running") return res.end(), true;
    job.listeners.add(res);
    res.on("close", () => job.listeners.delete(res));
  } else json(res, shown(job));
  return true;
}
