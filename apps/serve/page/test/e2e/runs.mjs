// Runs: a training that is seen to go on, several over each other, stopped and resumed.
import assert from "node:assert/strict";
import { accessible, drawn, shot, until, visit } from "./harness.mjs";

export const tests = {
  "a live run: its curve grows, it is stopped and goes on": (options) => visit("#/runs", { ...options, mock: { empty: true, hold: 10 } }, async (page, mock) => {
    await page.getByRole("button", { name: "Try a short training" }).click();
    await drawn(page, 1);
    await until(page, () => /epoch 1 of 3/.test(document.querySelector(".runs")?.textContent ?? ""));
    await page.getByRole("button", { name: /^Stop forecast train, harbour\.csv/ }).click();
    await page.getByText("cancelled", { exact: true }).waitFor();
    const stopped = mock.jobs.all[0].progress.step;
    await page.getByRole("button", { name: /^Resume forecast train, harbour\.csv/ }).click();
    await page.getByText("done", { exact: true }).waitFor();
    assert.ok(stopped <= 10 && mock.jobs.all[0].progress.step === 60, `stopped at ${stopped}, ended at ${mock.jobs.all[0].progress.step}`);
    await until(page, () => /epoch 3: loss/.test(document.querySelector("pre")?.textContent ?? ""));
    await page.getByRole("button", { name: /^Copy the command of forecast train/ }).click();
    await until(page, () => /copied/.test(document.querySelector(".runs").textContent));
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), mock.jobs.all[0].cli);
    await accessible(page, "one run");
    await page.getByRole("button", { name: "rename" }).click();
    await page.getByLabel("Call it").fill("the short one");
    await accessible(page, "a name");
    await page.getByRole("button", { name: "Rename", exact: true }).click();
    await page.getByRole("heading", { name: "the short one" }).waitFor();
    assert.equal(await page.locator(".keys li").first().innerText(), "the short one");
    assert.equal(mock.jobs.all[0].name, "the short one");
  }),

  "several over each other, and only what differs": (options) => visit("#/runs", options, async (page) => {
    for (const i of [1, 0]) await page.getByRole("checkbox").nth(i).check();
    await drawn(page, 1);
    const names = await page.locator(".keys li").allInnerTexts();
    assert.ok(new Set(names.slice(0, 2)).size === 2 && names[0].startsWith("forecast train, 1 Jan"), String(names));
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
    await page.getByRole("button", { name: /^Delete / }).last().click();
    assert.equal(mock.jobs.all.length, 2);
    await page.getByRole("button", { name: "delete its folder" }).click();
    await until(page, () => document.querySelectorAll(".runs tbody tr").length === 1);
  }),
};
