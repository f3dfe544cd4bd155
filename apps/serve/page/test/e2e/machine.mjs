// Machine: what was found and why, measured, and a bench beside the roof. And what concerns the whole page: token, theme, first paint, a service that is gone.
import assert from "node:assert/strict";
import { accessible, drawn, openBrowser, packed, shot, until, visit } from "./harness.mjs";
import { startMock } from "../mock.mjs";

const FIRST_PAINT_MS = 200, VISITS = 5;

export const tests = {
  "found, measured, timed": (options) => visit("#/machine", options, async (page) => {
    await page.getByText("Estimated from what it is").waitFor();
    assert.match(await page.locator("main").innerText(), /no: there is no device cuda:0/);
    await page.getByRole("button", { name: "Measure, 2 s" }).click();
    await page.getByText("Measured in 1.9 s").waitFor();
    assert.match(await page.locator("main").innerText(), /171 GFLOP\/s/);
    await page.getByRole("button", { name: "Run the bench" }).click();
    await page.getByText("timing").waitFor();
    await drawn(page, 1);
    assert.match(await page.locator(".chart").innerText(), /etth1 36 %/);
    await accessible(page, "machine");
    await shot(page, `machine-${options.theme}-${options.width}`);
  }),

  "what suits it is applied to the next training": (options) => visit("#/machine", { ...options, mock: { empty: true } }, async (page, mock) => {
    await page.getByRole("button", { name: "copy the option: --threads 2" }).click();
    await until(page, () => /copied/.test(document.querySelector(".advice").textContent));
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "--threads 2");
    await page.getByRole("button", { name: "apply: batch-size 64" }).click();
    await accessible(page, "applied");
    await page.getByRole("button", { name: "Apply to the next training" }).click();
    await page.getByRole("link", { name: "Forecast" }).click();
    await page.getByRole("button", { name: /made-up harbour/ }).click();
    await page.getByRole("button", { name: "precision f32: leave it out" }).click();
    await page.getByRole("button", { name: "Train", exact: true }).click();
    while (!mock.log.some((e) => e.method === "POST" && e.path === "/api/v1/jobs")) await page.waitForTimeout(20);
    const { options: told } = JSON.parse(mock.log.find((e) => e.method === "POST" && e.path === "/api/v1/jobs").body.toString());
    assert.deepEqual([told["batch-size"], told.precision, told.threads], [64, undefined, undefined]);
  }),

  "a token is asked for, and goes with every request": (options) => visit("#/machine", { ...options, mock: { token: "sesame" } }, async (page) => {
    await page.getByLabel("This service wants a token:").fill("wrong");
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByLabel(/does not take this token/).waitFor();
    await accessible(page, "token");
    await page.getByLabel(/does not take this token/).fill("sesame");
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByText("Estimated from what it is").waitFor();
  }),

  "light and dark by the switch, kept": (options) => visit("#/machine", options, async (page) => {
    const other = options.theme === "dark" ? "light" : "dark";
    await page.getByLabel("Colours").selectOption(other);
    assert.equal(await page.locator("html").getAttribute("data-theme"), other);
    await page.reload();
    await until(page, (theme) => document.documentElement.dataset.theme === theme, other);
  }),

  "a service that is gone is said in words": (options) => visit("#/machine", options, async (page, mock) => {
    await page.getByText("Estimated from what it is").waitFor();
    await mock.close();
    mock.close = () => Promise.resolve();
    await page.getByRole("button", { name: "Measure, 2 s" }).click();
    await page.getByText("The service does not answer").waitFor();
  }).catch((reason) => {
    // The browser itself tells of the refused connection: that alone may be there.
    if (!/ERR_CONNECTION_REFUSED/.test(reason.message)) throw reason;
  }),

  // The least of five in fresh contexts: what the page costs, not what else the machine does.
  "first paint": async () => {
    const mock = await startMock({ page: packed });
    const times = [];
    for (let i = 0; i < VISITS; i++) {
      const context = await (await openBrowser()).newContext();
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${mock.port}/`);
      await page.getByRole("heading", { name: "What does this spectrum say?" }).waitFor();
      times.push(await page.evaluate(() => new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()[0].startTime)).observe({ type: "paint", buffered: true }))));
      await context.close();
    }
    await mock.close();
    console.log(`    first paint, ms: ${times.map(Math.round).join(" ")}`);
    assert.ok(Math.min(...times) < FIRST_PAINT_MS, `the least of ${times.map(Math.round).join(", ")} ms is not under ${FIRST_PAINT_MS}`);
  },
};
