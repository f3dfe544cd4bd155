// The page on the service itself, which serves it: every screen from its first question to its last, on spectra and series that the program made.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accessible, drawn, saved, shot, until, visit } from "./harness.mjs";

const program = process.env.PAGE_PROGRAM ?? "";
const folder = mkdtempSync(join(tmpdir(), "tidemill-page-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const tidemill = (...words) => execFileSync(program, words, { stdio: ["ignore", "ignore", "inherit"], cwd: folder });

/** Made when first asked for: a well, four of a plate, a series and a model of it. */
const made = new Map();
const once = (name, make) => made.get(name) ?? (make(join(folder, name)), made.set(name, join(folder, name)).get(name));
const wellOf = (name, rsh, seed) =>
  once(name, (path) => tidemill("eis", "simulate", path, "--known", `Rsh=${rsh},Ra=4.82k,Rb=2.21k,Ca=1.2uF,Cb=4.7uF`, "--rs", "20", "--noise", "1%", "--seed", String(seed), "-q"));
const tides = () => once("tides.csv", (path) => {
  tidemill("data", "make", "tide", `${path}.all`, "-q");
  writeFileSync(path, readFileSync(`${path}.all`, "utf8").split("\n").slice(0, 4001).join("\n") + "\n");
});
const models = () => once("models", (path) => tidemill("forecast", "train", "--data", tides(), "--out", join(path, "tides"), "--arch", "dlinear", "--seq-len", "336", "--pred-len", "48", "--epochs", "4", "--no-plots", "-q"));

const informed = () => once("known", (path) => tidemill("forecast", "train", "--data", tides(), "--out", join(path, "informed"), "--known", "pressure_hpa", "--seq-len", "48", "--pred-len", "24", "--d-model", "32", "--d-ff", "32", "--epochs", "1", "--no-plots", "-q"));

let started = 0;
/** The service in a folder of its own, on a port that it finds. */
async function serve({ withModels = false, from = null, token = "" } = {}) {
  const state = join(folder, `state-${++started}`), words = ["serve", "--port", "0", "--state", state, "--no-access-log"];
  mkdirSync(join(folder, "none"), { recursive: true });
  if (token) writeFileSync(join(folder, "tokens"), `${token}\n`, { mode: 0o600 });
  const child = spawn(program, [...words, "--models", withModels ? from ?? models() : join(folder, "none"), ...(token ? ["--token-file", join(folder, "tokens")] : [])], {
    stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, XDG_CACHE_HOME: join(state, "cache") },
  });
  const ended = new Promise((done) => child.once("exit", done));
  const port = await new Promise((done, failed) => {
    let said = "";
    child.stderr.on("data", (piece) => {
      said += piece;
      const found = /http:\/\/[^\s/]+:(\d+)\//.exec(said);
      if (found) done(Number(found[1]));
    });
    ended.then(() => failed(new Error(`the service ended: ${said}`)));
  });
  const ask = async (path, method = "GET") => (await fetch(`http://127.0.0.1:${port}/${path}`, { method })).json();
  const close = async () => {
    for (const job of token ? [] : await ask("api/v1/jobs").catch(() => [])) {
      if (job.state === "queued" || job.state === "running") await ask(`api/v1/jobs/${job.id}/cancel`, "POST");
    }
    child.kill();
    await ended;
  };
  return { port, ask, close };
}

/** What the page asked, in order. */
function listen(page) {
  const log = [];
  page.on("request", (r) => r.method() === "POST" && log.push({ path: new URL(r.url()).pathname, json: () => JSON.parse(r.postData() || "null"), request: r }));
  return (path) => log.filter((entry) => entry.path.endsWith(path));
}

const choose = (page, files) => page.locator("input[type=file]").first().setInputFiles(files);
const refined = (page) => until(page, () => document.querySelector(".chip")?.textContent.startsWith("refined") && !document.querySelector(".chip.busy"));
const name = (options, what) => `real-${what}-${options.theme}-${options.width}`;

export const tests = {
  "impedance: exact then refined, a known value, points out": async (options) => visit("", { ...options, service: await serve() }, async (page) => {
    const asked = listen(page);
    await page.getByRole("heading", { name: "What does this spectrum say?" }).waitFor();
    await choose(page, wellOf("well.csv", 460, 7));
    await refined(page);
    await drawn(page, 6);
    assert.deepEqual(asked("complete").map((a) => a.json().options.method), ["exact", "refined"]);
    // TER of the circuit that the spectrum was made with: Rsh (Ra + Rb) / (Rsh + Ra + Rb) = 431.75 ohm.
    const ter = Number(/TER[\s\S]*?([\d.]+) Ω/.exec(await page.locator(".headline").first().innerText())?.[1]);
    assert.ok(Math.abs(ter / 431.75 - 1) < 0.02, `TER ${ter}`);
    assert.match(await page.locator(".verdict").innerText(), /Sound/);
    await accessible(page, "answered");
    await shot(page, name(options, "impedance"));
    await page.getByLabel(/^Rsh/).fill("460");
    await until(page, () => location.hash.includes("known=Rsh:460"));
    while (asked("complete").at(-1).json().known?.Rsh !== 460 || asked("complete").at(-1).json().options.method !== "refined") await page.waitForTimeout(20);
    await refined(page);
    await page.getByRole("group", { name: "Copy this answer as" }).getByRole("button", { name: "command" }).click();
    await page.getByText("copied as command").waitFor();
    // The command that is copied answers the same: it is run as it stands, in a shell.
    const command = await page.evaluate(() => navigator.clipboard.readText());
    const said = JSON.parse(execFileSync("sh", ["-c", command.replace(/(eis complete.*)$/, "$1 --json").replace(/^tidemill |\ntidemill /, (w) => w.replace("tidemill", program))], { cwd: folder, encoding: "utf8" }));
    assert.equal(said.known_params.Rsh, 460);
    const nyquist = page.getByRole("slider", { name: /^Nyquist/ });
    await nyquist.focus();
    for (let i = 0; i < 31; i++) await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await until(page, () => /1 of them not in the fit/.test(document.querySelector(".heading").textContent));
    while (asked("complete").at(-1).json().spectrum.freq_hz.length !== JSON.parse(JSON.stringify(asked("complete")[0].json())).spectrum.freq_hz.length - 1) await page.waitForTimeout(20);
    await refined(page);
    await page.reload();
    await refined(page);
    assert.match(await page.locator(".heading").innerText(), /1 of them not in the fit/);
    // A candidate that is not the best, in all plots.
    const joint = page.getByRole("slider", { name: /^Two together/ });
    await joint.waitFor();
    await joint.focus();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await until(page, () => /candidate \d+/.test(document.querySelector(".keys").textContent) && location.hash.includes("candidate="));
    await accessible(page, "a candidate");
    await shot(page, name(options, "candidate"));
  }),

  "impedance: a plate": async (options) => visit("", { ...options, service: await serve() }, async (page) => {
    writeFileSync(join(folder, "notes.txt"), "no spectrum\n");
    await choose(page, [...["A1", "A2", "B1", "B2"].map((well, i) => wellOf(`plate_${well}.csv`, 200 + 150 * i, i + 1)), join(folder, "notes.txt")]);
    await until(page, () => document.querySelectorAll(".well.ter").length === 4);
    assert.match(await page.locator(".fault").innerText(), /^notes\.txt: (?!notes)/);
    await accessible(page, "plate");
    await shot(page, name(options, "plate"));
    const { bytes } = await saved(page, () => page.locator(".plate").getByRole("button", { name: "CSV", exact: true }).click());
    assert.match(bytes.toString(), /plate_B2\.csv,/);
  }),

  "impedance: samples made by the service": async (options) => visit("", { ...options, service: await serve() }, async (page) => {
    await page.locator(".samples button").first().click();
    await refined(page);
    assert.match(await page.locator(".verdict").innerText(), /Sound/);
  }),

  "forecast: a table, its cut-off dragged, bands": async (options) => visit("#/forecast", { ...options, service: await serve({ withModels: true }) }, async (page) => {
    const asked = listen(page);
    await page.locator("input[type=file]").setInputFiles(tides());
    await drawn(page, 1);
    await until(page, () => /^Off by/.test(document.querySelector(".verdict-line")?.textContent ?? ""));
    assert.match(await page.locator(".understood .sentence").innerText(), /tides\.csv has hourly rows from 1 Jan 2023, 00:00 .* 4,000 rows of 8 columns, with no gaps/s);
    await accessible(page, "forecast");
    await shot(page, name(options, "forecast"));
    const before = asked("predict").length;
    await page.locator(".drawing").first().scrollIntoViewIfNeeded();
    const box = await page.locator(".drawing").first().boundingBox(), line = await page.locator(".cutoff").boundingBox();
    await page.mouse.move(line.x + 1, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(line.x - box.width * 0.3, box.y + 100, { steps: 40 });
    await page.mouse.up();
    const at = Number(await page.locator(".cut-range input").inputValue());
    const wanted = readFileSync(tides(), "utf8").split("\n")[at].split(",")[0];
    const isOf = (body) => (body.cut ? body.cut === at : body.past.time.at(-1) === wanted);
    while (asked("predict").length <= before || !isOf(asked("predict").at(-1).json())) await page.waitForTimeout(20);
    const answer = await (await asked("predict").at(-1).request.response()).json();
    assert.deepEqual(Object.keys(answer.bands.brest_cm), ["80", "95"]);
    assert.ok(answer.bands.brest_cm["95"].low.every((low, k) => low < answer.columns.brest_cm[k] && answer.columns.brest_cm[k] < answer.bands.brest_cm["95"].high[k]));
    await until(page, (n) => location.hash.includes(`cut=${n}`), at);
    const { bytes } = await saved(page, () => page.getByRole("button", { name: "Save the forecast as CSV" }).click());
    assert.match(bytes.toString(), /^time,brest_cm,brest_cm-lo-80,brest_cm-hi-80,brest_cm-lo-95/);
    await page.getByRole("button", { name: "Error by horizon" }).click();
    await page.getByRole("heading", { name: "Error of brest_cm by horizon" }).waitFor();
    // A word said otherwise goes to the service, which reads the file again.
    await page.getByRole("button", { name: "8 columns: change" }).click();
    await page.getByLabel(/Columns to leave out/).fill("pressure_hpa");
    await page.getByRole("button", { name: "Say so" }).click();
    await page.getByRole("button", { name: "7 columns: change" }).waitFor();
    await page.getByText("forecasts from columns that this file has not: pressure_hpa").waitFor();
  }),

  "forecast: told of rows to come, and whom the network looks at": async (options) => visit("#/forecast", { ...options, service: await serve({ withModels: true, from: informed() }) }, async (page) => {
    const asked = listen(page);
    await page.locator("input[type=file]").setInputFiles(tides());
    await page.getByText(/The model is told pressure_hpa of the 24 rows to come: the file has it\./).waitFor();
    await until(page, () => /^Off by/.test(document.querySelector(".verdict-line")?.textContent ?? ""));
    await page.getByRole("button", { name: "Attention", exact: true }).click();
    await drawn(page, 2);
    const map = page.getByRole("slider", { name: /^Attention/ });
    await map.focus();
    await page.keyboard.press("End");
    assert.match(await map.getAttribute("aria-valuetext"), /^pressure_hpa looks at pressure_hpa with [\d.]+ %$/);
    await accessible(page, "attention");
    await shot(page, name(options, "attention"));
    await page.locator(".cut-range input").focus();
    await page.keyboard.press("End");
    await page.getByText(/The file ends before them/).waitFor();
    // The rows after the file's end, of the one column alone.
    const all = readFileSync(`${tides()}.all`, "utf8").split("\n"), at = all[0].split(",").indexOf("pressure_hpa");
    const rows = all.slice(4001, 4025).map((line) => line.split(",")).map((cells) => `${cells[0]},${cells[at]}`);
    await page.locator(".ahead input[type=file]").setInputFiles({ name: "plan.csv", mimeType: "text/csv", buffer: Buffer.from([`${all[0].split(",")[0]},pressure_hpa`, ...rows].join("\n") + "\n") });
    await page.getByText("After the end of the file").waitFor();
    const { future, past } = asked("predict").at(-1).json();
    assert.deepEqual(future.columns.pressure_hpa, rows.map((r) => Number(r.split(",")[1])));
    assert.equal(past.time.at(-1), all[4000].split(",")[0]);
    // The command that is copied for a moment of the past gives the numbers that are shown.
    await page.getByRole("button", { name: "Forget the second file" }).click();
    await page.getByRole("button", { name: "Move the cut-off back" }).click();
    await until(page, () => /^Off by/.test(document.querySelector(".verdict-line")?.textContent ?? ""));
    await page.getByRole("group", { name: "Copy this forecast as" }).getByRole("button", { name: "command" }).click();
    await page.getByText("copied as command").waitFor();
    const command = (await page.evaluate(() => navigator.clipboard.readText())).replace("tidemill forecast predict runs/informed", `${program} forecast predict ${join(informed(), "informed")} --output - --no-plots -q`);
    const said = execFileSync("sh", ["-c", command], { cwd: folder, encoding: "utf8" }).trim().split("\n").map((line) => line.split(","));
    const { bytes } = await saved(page, () => page.getByRole("button", { name: "Save the forecast as CSV" }).click());
    const shown = bytes.toString().trim().split("\n").map((line) => line.split(","));
    assert.equal(said[1][0], shown[1][0]);
    const column = said[0].indexOf("brest_cm");
    said.slice(1).forEach((row, i) => assert.ok(Math.abs(row[column] - shown[i + 1][shown[0].indexOf("brest_cm")]) < 1e-3, `row ${i + 1}: ${row[column]}, shown ${shown[i + 1][1]}`));
  }),

  "forecast: refused with its place, and trained where there is no model": async (options) => visit("#/forecast", { ...options, service: await serve() }, async (page) => {
    await page.locator("input[type=file]").setInputFiles({ name: "bad.csv", mimeType: "text/csv", buffer: Buffer.from("time,a\n2024-01-01,1\n2024-01-02,2\n2024-01-03,oops\n") });
    await page.locator(".fault").first().waitFor();
    assert.match(await page.locator(".fault").first().innerText(), /oops/);
    await page.getByRole("button", { name: "Start over" }).click();
    await page.locator("input[type=file]").setInputFiles(tides());
    await page.locator(".train select").selectOption("dlinear");
    await page.getByRole("button", { name: "Train", exact: true }).click();
    await until(page, () => /^Off by/.test(document.querySelector(".verdict-line")?.textContent ?? ""));
    assert.match(await page.locator(".controls select").first().locator("option:checked").innerText(), /^96 rows ahead by/);
  }),

  "runs: live, stopped, resumed, over another": async (options) => visit("#/runs", { ...options, service: await serve() }, async (page, service) => {
    const state = async (i = 0) => (await service.ask("api/v1/jobs"))[i].state;
    await page.getByRole("button", { name: "Try a short training" }).click();
    await drawn(page, 1);
    await page.getByRole("button", { name: /^Stop / }).click();
    await page.getByText("cancelled", { exact: true }).waitFor();
    const stopped = (await service.ask("api/v1/jobs"))[0];
    assert.ok(stopped.progress.epoch <= 3, JSON.stringify(stopped.progress));
    await page.getByRole("button", { name: /^Resume / }).click();
    await page.getByText("done", { exact: true }).waitFor();
    const [done] = await service.ask("api/v1/jobs");
    assert.equal(done.progress.epoch, 3);
    await until(page, () => /-- done/.test(document.querySelector("pre")?.textContent ?? ""));
    await page.getByRole("button", { name: /^Copy the command of / }).click();
    await until(page, () => /copied/.test(document.querySelector(".runs").textContent));
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), done.cli);
    await accessible(page, "one run");
    await page.getByRole("button", { name: "rename" }).click();
    await page.getByLabel("Call it").fill("the first");
    await page.getByRole("button", { name: "Rename", exact: true }).click();
    await page.getByRole("heading", { name: "the first" }).waitFor();
    assert.equal((await service.ask("api/v1/jobs"))[0].name, "the first");
    // A second one, told otherwise.
    const again = await fetch(`http://127.0.0.1:${service.port}/api/v1/jobs`, { method: "POST", body: JSON.stringify({ command: done.command, options: { ...done.options, dropout: 0.3, epochs: 2 }, upload: done.uploads.data[0] }) });
    const { id } = await again.json();
    // The newest is the first.
    await until(page, () => document.querySelectorAll(".runs tbody tr").length === 2);
    await page.getByRole("checkbox").first().check();
    while ((await state()) !== "done") await page.waitForTimeout(100);
    await until(page, () => document.querySelector(".runs tbody tr")?.textContent.includes("done"));
    const rows = await page.locator("section", { hasText: "What differs" }).locator("tbody tr").allInnerTexts();
    assert.deepEqual(rows.map((r) => r.split(/\s+/)[0]), ["dropout", "epochs"]);
    await accessible(page, "two runs");
    await shot(page, name(options, "runs"));
    await page.reload();
    await drawn(page, 1);
    await until(page, () => [...document.querySelectorAll(".keys li")].map((li) => li.textContent).join("|") === `the first|${document.querySelector(".runs tbody .name").textContent}|validation`);
    assert.match(await page.locator(".runs tbody tr").first().locator(".name").innerText(), /^forecast train, harbour\.csv, \d+ \w+/);
    await page.getByRole("button", { name: /^Delete forecast train, harbour/ }).click();
    await page.getByRole("button", { name: "delete its folder" }).click();
    await until(page, () => document.querySelectorAll(".runs tbody tr").length === 1);
    assert.equal((await service.ask("api/v1/jobs")).length, 1);
  }),

  "machine: found, measured, timed": async (options) => visit("#/machine", { ...options, service: await serve() }, async (page, service) => {
    await page.getByRole("heading", { name: "How fast it is" }).waitFor();
    const { machine } = await service.ask("api/v1/machine");
    assert.equal(await page.locator("h1").innerText(), machine.model);
    await page.getByText("nothing was measured yet").waitFor();
    await page.getByRole("button", { name: "Measure, 2 s" }).click();
    await page.getByText(/^Measured in /).waitFor();
    await page.getByRole("button", { name: "Run the bench" }).click();
    await drawn(page, 1);
    assert.match(await page.locator(".chart").innerText(), /etth1 [\d.]+ %/);
    await accessible(page, "machine");
    await shot(page, name(options, "machine"));
  }),

  "a token": async (options) => visit("#/machine", { ...options, mock: { token: "0123456789abcdef0123" }, service: await serve({ token: "0123456789abcdef0123" }) }, async (page, { port }) => {
    await page.getByLabel("This service wants a token:").fill("wrong");
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByLabel(/does not take this token/).fill("0123456789abcdef0123");
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByRole("heading", { name: "How fast it is" }).waitFor();
    assert.equal((await fetch(`http://127.0.0.1:${port}/api/v1/machine`)).status, 401);
  }),
};
