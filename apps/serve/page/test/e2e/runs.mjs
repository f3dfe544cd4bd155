// Runs: a training that is seen to go on, several over each other, stopped and resumed.
import assert from "node:assert/strict";
import { accessible, drawn, shot, until, visit } from "./harness.mjs";

export const tests = {
  "a live run: its curve grows, it is stopped and goes on": (options) => visit("#/runs", { ...options, mock: { empty: true } }, async (page, mock) => {
    await page.getByRole("button", { name: "Try a short training" }).click();
    await drawn(page, 1);
    await until(page, () => /epoch 1 of 3/.test(document.querySelector(".runs")?.textContent ?? ""));
    await page.getByRole("button", { name: "Stop run-1" }).click();
    await page.getByText("cancelled", { exact: true }).waitFor();
    const stopped = mock.jobs.all[0].progress.step;
    await page.getByRole("button", { name: "Resume run-1" }).click();
    await page.getByText("done", { exact: true }).waitFor();
    assert.ok(stopped < 60 && mock.jobs.all[0].progress.step === 60, `stopped at ${stopped}, ended at ${mock.jobs.all[0].progress.step}`);
    await until(page, () => /epoch 3: loss/.test(document.querySelector("pre")?.textContent ?? ""));
    await page.getByRole("button", { name: "Copy the command of run-1" }).click();
    await until(page, () => /copied/.test(document.querySelector(".runs").textContent));
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), mock.jobs.all[0].cli);
    await accessible(page, "one run");
  }),

  "several over each other, and only what differs": (options) => visit("#/runs", options, async (page) => {
    await page.getByRole("checkbox", { name: /run-1/ }).check();
    await page.getByRole("checkbox", { name: /run-2/ }).check();
    await drawn(page, 1);
    const rows = await page.locator("section", { hasText: "What differs" }).locator("tbody tr").allInnerTexts();
    assert.deepEqual(rows.map((r) => r.split(/\s+/)[0]), ["dropout", "learning-rate"]);
    await page.getByLabel("logarithmic").check();
    await page.getByLabel(/smoothing/).focus();
    for (let i = 0; i < 20; i++) await page.keyboard.press("ArrowRight");
    await until(page, () => /ids=run-1,run-2.*log=1.*smooth=0.4/.test(location.hash));
    await accessible(page, "two runs");
    await shot(page, `runs-${options.theme}-${options.width}`);
    await page.reload();
    await drawn(page, 1);
    assert.equal(await page.locator("output").innerText(), "0.40");
  }),

  "deleted, when one is sure": (options) => visit("#/runs", options, async (page, mock) => {
    await page.getByRole("button", { name: "Delete run-1" }).click();
    assert.equal(mock.jobs.all.length, 2);
    await page.getByRole("button", { name: "delete its folder" }).click();
    await until(page, () => document.querySelectorAll(".runs tbody tr").length === 1);
  }),
};
