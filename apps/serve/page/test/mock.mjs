// The service's interface in small, for developing and testing the page without it: deterministic, no dependency, answers in the service's shapes.
// Its answers are plausible, not right: what is right, the service's own tests say.
//   node test/mock.mjs [--port 8321] [--token T] [--page DIR]
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { join } from "node:path";
import { complete, check, readSpectra, simulate } from "./mock-eis.mjs";
import { attention, KNOWN_MODEL, predict, readTable, SERIES_MODELS } from "./mock-forecast.mjs";
import { jobRoutes, makeJobs } from "./mock-jobs.mjs";
import { benchResult, machine } from "./mock-machine.mjs";

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const json = (res, body, status = 200) => {
  res.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json", "Cache-Control": "no-store" });
  res.end(JSON.stringify(body));
};
export const problem = (status, detail, errors) => Object.assign(new Error(detail), { problem: { type: "about:blank", title: "Refused", status, detail, code: "data", ...(errors && { errors }) } });

async function bodyOf(req) {
  const pieces = [];
  for await (const piece of req) pieces.push(piece);
  return Buffer.concat(pieces);
}

function pageFiles(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, "page.json"), "utf8"));
  return new Map(manifest.map((f) => ["/" + f.path, { ...f, gzip: readFileSync(join(folder, "page", f.path.replace(/\//g, "-") + ".gz")) }]));
}

function sendPage(req, res, file) {
  const tag = `"${file.sha256.slice(0, 32)}"`;
  const headers = {
    "Content-Type": file.type, ETag: tag, "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
    "Cache-Control": file.hashed ? "public, max-age=31536000, immutable" : "no-cache",
  };
  if (req.headers["if-none-match"] === tag) return res.writeHead(304, headers).end();
  const packs = /\bgzip\b/.test(req.headers["accept-encoding"] ?? "");
  res.writeHead(200, packs ? { ...headers, "Content-Encoding": "gzip" } : headers);
  res.end(packs ? file.gzip : gunzipSync(file.gzip));
}

/** { port, close, log, most } of a service that listens; most: requests under way at once, by path. `delays`: milliseconds by path, for tests of what happens meanwhile. */
export async function startMock({ port = 0, page = null, token = "", delays = {}, empty = false, known = false, cuts = true, hold = 0 } = {}) {
  const files = page ? pageFiles(page) : new Map();
  const log = [], most = {}, under = {}, uploads = new Map();
  const jobs = makeJobs({ empty, result: benchResult, hold });
  const models = empty ? [] : known ? [KNOWN_MODEL] : [...SERIES_MODELS];
  let measured = false;
  jobs.onDone = (job) => job.command === "forecast train" && models.push({ ...SERIES_MODELS[0], id: job.id });

  const routes = {
    "GET /healthz": () => ({ status: "ok", version: "0.2.0" }),
    "POST /api/v1/eis/read": (_, body, query) => readSpectra(body.toString("utf8"), query.get("name") ?? "upload"),
    "POST /api/v1/eis/simulate": (ask) => simulate(ask),
    "POST /api/v1/eis/complete": (ask) => complete(ask),
    "POST /api/v1/eis/check": (ask) => check(ask),
    "POST /api/v1/forecast/read": (_, body, query) => readTable(body.toString("utf8"), Object.fromEntries(query)),
    "POST /api/v1/forecast/predict": (ask) => {
      if (ask.cut && !cuts) throw problem(422, "there is no \"cut\"", [{ pointer: "/cut", message: "there is no such field" }]);
      return predict(ask, models, uploads);
    },
    "POST /api/v1/forecast/attention": (ask) => attention(ask, models),
    "GET /api/v1/models": () => ({ models: models.map(({ id, kind }) => ({ id, kind, command: "forecast train" })) }),
    "GET /api/v1/machine": () => machine(measured),
    "POST /api/v1/machine/measure": () => machine((measured = true)),
    "POST /api/v1/uploads": (_, body, query) => {
      const one = { id: `u${uploads.size + 1}`, name: query.get("name"), bytes: body.length, sha256: "0".repeat(64) };
      uploads.set(one.id, { ...one, text: body.toString("utf8") });
      return one;
    },
  };

  const server = createServer(async (req, res) => {
    const address = new URL(req.url, "http://mock");
    const path = address.pathname === "/" ? "/index.html" : address.pathname;
    if (req.method === "GET" && files.has(path)) return sendPage(req, res, files.get(path));
    if (token && path.startsWith("/api/") && req.headers.authorization !== `Bearer ${token}`) return json(res, { title: "Unauthorized", status: 401, detail: "a token is wanted" }, 401);
    const body = await bodyOf(req);
    const entry = { method: req.method, path, body, aborted: false };
    log.push(entry);
    most[path] = Math.max(most[path] ?? 0, (under[path] = (under[path] ?? 0) + 1));
    res.on("finish", () => under[path]--);
    res.on("close", () => {
      entry.aborted = !res.writableFinished;
      if (entry.aborted) under[path]--;
    });
    try {
      const wait = delays[path];
      if (wait) await new Promise((go) => setTimeout(go, typeof wait === "function" ? wait(body) : wait));
      if (res.destroyed) return;
      if (jobRoutes(jobs, req, res, path, body, json)) return;
      const model = models.find((m) => path === `/api/v1/models/${m.id}`);
      if (model) return json(res, model);
      const route = routes[`${req.method} ${path}`];
      if (!route) throw problem(404, `no route ${path}`);
      const ask = req.headers["content-type"] === "application/json" ? JSON.parse(body.toString("utf8") || "null") : null;
      json(res, route(ask, body, address.searchParams), path.endsWith("/uploads") ? 201 : 200);
    } catch (reason) {
      if (!reason.problem) console.error(reason);
      json(res, reason.problem ?? { title: "Bug", status: 500, detail: String(reason) }, reason.problem?.status ?? 500);
    }
  });
  await new Promise((go) => server.listen(port, "127.0.0.1", go));
  return {
    port: server.address().port, log, most, jobs,
    close: () => new Promise((go) => (jobs.stop(), server.closeAllConnections(), server.close(go))),
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const option = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
  const mock = await startMock({ port: Number(option("--port") ?? 8321), token: option("--token") ?? "", page: option("--page") ?? new URL("../packed", import.meta.url).pathname });
  console.log(`http://127.0.0.1:${mock.port}/`);
}
