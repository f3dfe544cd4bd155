// A browser beside a service, for the tests of whole screens. The service is the mock, or what a test starts itself (real.mjs).
// What every page must do is watched in each test: no violation of the content policy, no error on the console, no request that leaves the machine.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { startMock } from "../mock.mjs";

const here = new URL("../../", import.meta.url).pathname;
export const packed = process.env.PAGE_PACKED ?? `${here}packed`;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.PAGE_SHOTS ?? "";
if (shots) mkdirSync(shots, { recursive: true });

let browser;
/** Background connections off: a test machine may have no network, and the browser would wait for it. */
export async function openBrowser() {
  browser ??= await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  return browser;
}
export const closeBrowser = () => browser?.close();

/** Runs `test` with a page at `address`; then what was watched must be clean, and the service is closed. */
export async function visit(address, options, test) {
  const own = options.service ?? (await startMock({ page: packed, ...options.mock }));
  try {
    await look(address, options, own, test);
  } finally {
    await own.close();
  }
}

async function look(address, { mock = {}, width = 1360, height = 900, theme = "light" }, own, test) {
  const origin = `http://127.0.0.1:${own.port}/`;
  const context = await (await openBrowser()).newContext({ viewport: { width, height }, colorScheme: theme, acceptDownloads: true, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (m) => m.type() === "error" && !(mock.token && /401/.test(m.text())) && !/the server responded with a status of 4\d\d/.test(m.text()) && faults.push(m.text()));
  page.on("pageerror", (e) => faults.push(String(e)));
  page.on("request", (r) => !r.url().startsWith(origin) && !/^(blob|data):/.test(r.url()) && faults.push(`a request left: ${r.url()}`));
  await page.goto(origin + address);
  try {
    await test(page, own);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out at the side");
    assert.deepEqual(faults, [], "what the browser complained of");
  } catch (reason) {
    if (shots) await page.screenshot({ path: `${shots}/failed.png`, fullPage: true });
    throw reason;
  } finally {
    await context.close();
  }
}

/** No finding at all, whatever its weight. The policy allows no script but the page's: axe comes by the debugger. */
export async function accessible(page, what) {
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe });
  const { result } = await session.send("Runtime.evaluate", { expression: "axe.run(document).then((r) => JSON.stringify(r.violations.map((v) => [v.id, v.help, v.nodes.map((n) => n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? n.failureSummary))])))", awaitPromise: true });
  const found = JSON.parse(result.value);
  assert.equal(found.length, 0, `${what}: ${JSON.stringify(found.map(([id, help, nodes]) => [id, help, nodes.length, nodes.slice(0, 3)]), null, 1)}`);
}

export async function shot(page, name) {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
}

/** Waits until `ask` is true: by the work's progress, with no clock but the test's own limit. */
export const until = (page, ask, arg) => page.waitForFunction(ask, arg, { timeout: Number(process.env.PAGE_WAIT_MS ?? 60_000) });
export const drawn = (page, many = 1) => until(page, (n) => document.querySelectorAll(".canvas svg").length >= n, many);

export async function saved(page, click) {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}
