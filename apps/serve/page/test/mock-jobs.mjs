// Jobs for the mock: each goes on by a step every 40 ms, so a test sees it move; what it says depends on its number alone. As in the service a job's
// events begin with its first, whenever they are asked for.
const STEPS = 60, EPOCHS = 3, EVERY_MS = 40, BEGAN = 1767261600;
const loss = (step, seed) => 0.9 * Math.exp(-step / 18) + 0.12 + 0.02 * seed + 0.03 * Math.sin(step * 1.7 + seed);

const cli = (command, options, upload) =>
  `tidemill ${command} ${Object.entries(options).map(([k, v]) => `--${k}=${v}`).join(" ")}${upload ? ` --data=uploads/${upload}` : ""} --out=jobs/run`;

/** `hold`: a job waits at this step until it has been stopped and goes on; 0: none does. */
export function makeJobs({ empty, result, hold = 0 }) {
  const jobs = { all: [], result, hold, onDone: () => {}, stop: () => jobs.all.forEach((j) => clearInterval(j.timer)) };
  jobs.begin = ({ command, options = {}, upload, model }, done = false) => {
    const number = jobs.all.length + 1;
    const job = {
      id: `run-${number}`, name: "", files: upload ? { data: ["harbour.csv"] } : {}, number, command, options, state: "running", progress: null, message: null, created: BEGAN + 60 * number, started: BEGAN, ended: null, exit: null,
      cli: cli(command, options, upload ?? model), listeners: new Set(), events: [], metrics: { epoch: [], step: [], train_loss: [], val_loss: [] }, step: 0,
    };
    jobs.all.unshift(job);
    tell(job, "state", { event: "state", state: "running" });
    tell(job, "log", { event: "note", stage: "start", message: "cpu, 1 thread, f32" });
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
  job.events.push(`id: ${job.events.length + 1}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  for (const res of job.listeners) res.write(job.events.at(-1));
}

function tick(jobs, job) {
  if (jobs.hold && job.step >= jobs.hold && !job.resumed) return;
  const step = ++job.step, each = STEPS / EPOCHS, epoch = Math.ceil(step / each), value = loss(step, job.number % 3);
  const at = { event: "progress", epoch, epochs: EPOCHS, batch: step - (epoch - 1) * each, batches: each, step, seconds: step * 0.04, seconds_left: (STEPS - step) * 0.04 };
  const say = (told) => ((job.progress = { ...job.progress, ...told }), tell(job, "progress", told));
  say({ ...at, stage: "step", loss: value });
  if (step % each === 0) {
    say({ ...at, stage: "epoch", loss: value, val_loss: value * 1.1 });
    job.metrics.epoch.push(epoch), job.metrics.step.push(step), job.metrics.train_loss.push(value), job.metrics.val_loss.push(value * 1.1);
    tell(job, "log", { event: "warning", message: `epoch ${epoch}: loss ${value.toFixed(4)}` });
  }
  if (step >= STEPS) end(jobs, job, "done", 0);
}

function run(jobs, job) {
  job.timer = setInterval(() => tick(jobs, job), EVERY_MS);
}

function end(jobs, job, state, exit) {
  clearInterval(job.timer);
  Object.assign(job, { state, exit, ended: BEGAN + 60 });
  tell(job, "log", { event: "end", exit });
  tell(job, "state", { event: "state", state });
  for (const res of job.listeners) res.end();
  job.listeners.clear();
  if (state === "done") jobs.onDone(job);
}

const shown = ({ id, name, files, command, options, state, progress, message, created, started, ended, exit, cli: line }) => ({ id, name, files, command, options, state, progress, message, created, started, ended, exit, cli: line });
const lineOf = (event) => {
  const told = JSON.parse(/data: (.*)/.exec(event)[1]);
  return told.state ? `-- ${told.state}` : told.event === "end" ? `end: exit ${told.exit}` : told.event === "warning" ? `warning: ${told.message}` : told.event === "note" ? told.message : "";
};

function stream(job, res) {
  res.writeHead(200, { "Content-Type": "text/event-stream" });
  res.write(job.events.join(""));
  if (job.state !== "running") return void res.end();
  job.listeners.add(res);
  res.on("close", () => job.listeners.delete(res));
}

/** Answers what is under /api/v1/jobs; false: another's. */
export function jobRoutes(jobs, req, res, path, body, json) {
  const found = /^\/api\/v1\/jobs(?:\/([\w-]+))?(?:\/(events|name|cancel|resume|log|metrics|result))?$/.exec(path);
  if (!found) return false;
  const [, id, what] = found, job = jobs.all.find((j) => j.id === id);
  if (!id) json(res, req.method === "POST" ? shown(jobs.begin(JSON.parse(body))) : jobs.all.map(shown), req.method === "POST" ? 202 : 200);
  else if (!job) json(res, { title: "Not found", status: 404, detail: `no job ${id}` }, 404);
  else if (req.method === "DELETE") (jobs.all.splice(jobs.all.indexOf(job), 1), json(res, {}));
  else if (what === "name") ((job.name = JSON.parse(body).name), json(res, shown(job)));
  else if (what === "cancel") (end(jobs, job, "cancelled", 130), json(res, shown(job)));
  else if (what === "resume") (Object.assign(job, { resumed: true, state: "running", ended: null, exit: null }), tell(job, "state", { event: "state", state: "running" }), run(jobs, job), json(res, shown(job)));
  else if (what === "log") res.writeHead(200, { "Content-Type": "text/plain" }).end(job.events.map(lineOf).filter(Boolean).join("\n"));
  else if (what === "metrics") json(res, job.metrics);
  else if (what === "result") json(res, jobs.result());
  else if (what === "events") stream(job, res);
  else json(res, shown(job));
  return true;
}
