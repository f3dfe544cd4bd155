// Forecast: a file understood and said otherwise, the cut-off dragged, columns and moments read.
import assert from "node:assert/strict";
import { accessible, drawn, saved, shot, until, visit } from "./harness.mjs";

/** The line moves by keys until a question is as wanted: the file comes to the service meanwhile. */
async function moves(page, mock, wanted) {
  const range = page.locator(".cut-range input");
  const asked = () => mock.log.filter((e) => e.path.endsWith("predict"));
  const at = await range.inputValue();
  await range.focus();
  for (let back = false; !wanted(JSON.parse(asked().at(-1).body.toString())); back = !back) {
    const before = asked().length;
    await page.keyboard.press(back ? "ArrowRight" : "ArrowLeft");
    while (asked().length === before) await page.waitForTimeout(20);
  }
  if ((await range.inputValue()) !== at) await page.keyboard.press("ArrowRight");
}

const sample = async (page) => {
  await page.getByRole("button", { name: /made-up harbour/ }).click();
  await drawn(page, 1);
  await until(page, () => /^Off by/.test(document.querySelector(".verdict-line")?.textContent ?? ""));
};

export const tests = {
  "one sentence, each word of it can be said otherwise": (options) => visit("#/forecast", options, async (page, mock) => {
    await page.getByRole("heading", { name: "What comes next?" }).waitFor();
    await accessible(page, "empty");
    await sample(page);
    assert.match(await page.locator(".understood .sentence").innerText(), /harbour\.csv has hourly rows from 1 Jan 2024, 00:00 to 29 Apr 2024, 23:00 by the column time .* 2,880 rows of 3 columns, with no gaps/s);
    await page.getByRole("button", { name: "3 columns: change" }).click();
    await accessible(page, "a word open");
    await page.getByLabel(/Columns to leave out/).fill("wind_ms");
    await page.getByRole("button", { name: "Say so" }).click();
    await page.getByRole("button", { name: "2 columns: change" }).waitFor();
    await until(page, () => location.hash.includes("read=ignore:wind_ms"));
    await page.getByRole("button", { name: /^Undo/ }).click();
    await page.getByRole("button", { name: "3 columns: change" }).waitFor();
    assert.ok(mock.log.filter((e) => e.path.endsWith("forecast/read")).length >= 3);
  }),

  "the cut-off is dragged through the past": (options) => visit("#/forecast", { ...options, mock: { delays: { "/api/v1/forecast/predict": 30 } } }, async (page, mock) => {
    await sample(page);
    await accessible(page, "forecast");
    await shot(page, `forecast-${options.theme}-${options.width}`);
    const before = mock.log.filter((e) => e.path.endsWith("predict")).length;
    await page.locator(".drawing").first().scrollIntoViewIfNeeded();
    const box = await page.locator(".drawing").first().boundingBox();
    const line = await page.locator(".cutoff").boundingBox();
    await page.mouse.move(line.x + 1, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(line.x - box.width * 0.3, box.y + 100, { steps: 40 });
    await page.mouse.up();
    const moved = await page.locator(".cutoff b").innerText();
    assert.notEqual(moved, "28 Apr 2024, 00:00");
    const asked = () => mock.log.filter((e) => e.path.endsWith("predict")).slice(before);
    const range = page.locator(".cut-range input");
    const at = Number(await range.inputValue());
    const wanted = new Date(Date.UTC(2024, 0, 1) + (at - 1) * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
    const isOf = (body) => (body.cut ? body.cut === at : body.past.time.at(-1) === wanted);
    // The newest wins: the last request is about the place where the line stands.
    while (asked().length < 2 || !isOf(JSON.parse(asked().at(-1).body.toString()))) await page.waitForTimeout(20);
    await moves(page, mock, (body) => body.upload === "u1" && !body.past && body.level.length === 2);
    assert.equal(mock.most["/api/v1/forecast/predict"], 1, "the most requests under way at once");
    // By keys: the range is the line.
    await range.focus();
    await page.keyboard.press("ArrowLeft");
    assert.equal(Number(await range.inputValue()), at - 1);
    await until(page, (n) => location.hash.includes(`cut=${n}`), at - 1);
    await page.reload();
    await until(page, (n) => document.querySelector(".cut-range input")?.value === String(n), at - 1);
  }),

  "the rows go with each question where the service knows of no cut": (options) => visit("#/forecast", { ...options, mock: { cuts: false } }, async (page, mock) => {
    await sample(page);
    const asked = () => mock.log.filter((e) => e.path.endsWith("predict")).map((e) => JSON.parse(e.body.toString()));
    await moves(page, mock, (body) => !!body.past && asked().some((b) => b.cut));
    await until(page, () => /^Off by/.test(document.querySelector(".verdict-line").textContent));
    assert.equal(await page.locator(".fault").count(), 0);
    assert.equal(asked().filter((b) => b.cut).length, 1, "it is asked once");
  }),

  "columns, a pinned moment, errors by horizon, files": (options) => visit("#/forecast", options, async (page) => {
    await sample(page);
    await page.getByRole("button", { name: "air_c", exact: true }).click();
    await until(page, () => /level_cm: off by .* air_c: off by/.test(document.querySelector(".verdict-line").textContent));
    await page.locator(".drawing").first().scrollIntoViewIfNeeded();
    const box = await page.locator(".drawing").first().boundingBox();
    await page.mouse.click(box.x + box.width * 0.76, box.y + 90);
    await page.mouse.move(box.x + 2, box.y - 40);
    assert.match(await page.locator(".readout").first().innerText(), /2024, \d\d:00: level_cm [\d.]+, forecast [\d.]+; air_c/);
    await page.getByRole("button", { name: "Error by horizon" }).click();
    await page.getByRole("heading", { name: "Error of level_cm by horizon" }).waitFor();
    await drawn(page, 2);
    await accessible(page, "errors by horizon");
    const { bytes } = await saved(page, () => page.getByRole("button", { name: "Save the forecast as CSV" }).click());
    assert.match(bytes.toString(), /^time,level_cm,level_cm-lo-80,level_cm-hi-80,level_cm-lo-95/);
    assert.equal(bytes.toString().trim().split("\n").length, 49);
  }),

  "told of rows to come: in the past by the file, at its end by another": (options) => visit("#/forecast", { ...options, mock: { known: true } }, async (page, mock) => {
    await sample(page);
    await page.getByText("The model is told wind_ms of the 48 rows to come: the file has it.").waitFor();
    const asked = () => mock.log.filter((e) => e.path.endsWith("predict")).map((e) => JSON.parse(e.body.toString()));
    assert.deepEqual(Object.keys(asked()[0].past.columns), ["level_cm", "air_c", "wind_ms"], "no column of holidays is sent");
    assert.equal(asked()[0].future.columns.wind_ms.length, 48);
    // To the end: what is known stops with the file, and the forecast with it.
    const range = page.locator(".cut-range input");
    await range.focus();
    await page.keyboard.press("End");
    await page.getByText(/For a forecast from .* the model must be told wind_ms of the 48 rows to come\. The file ends before them/).waitFor();
    await until(page, () => !document.querySelector(".verdict-line").textContent);
    await accessible(page, "rows to come are wanted");
    await shot(page, `ahead-${options.theme}-${options.width}`);
    await page.getByRole("button", { name: "Move the cut-off back" }).click();
    await page.getByText("the file has it.").waitFor();
    await range.focus();
    await page.keyboard.press("End");
    const clock = (h) => new Date(Date.UTC(2024, 0, 121) + h * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
    const rows = Array.from({ length: 48 }, (_, h) => `${clock(h)},${(6 + h / 48).toFixed(2)}`);
    await page.locator(".ahead input[type=file]").setInputFiles({ name: "plan.csv", mimeType: "text/csv", buffer: Buffer.from(["time,wind_ms", ...rows].join("\n")) });
    await page.getByText("the second file has it.").waitFor();
    await page.getByText("After the end of the file").waitFor();
    assert.equal(asked().at(-1).future.columns.wind_ms[24], 6.5);
    await until(page, () => location.hash.includes("later="));
    await page.reload();
    await page.getByText("the second file has it.").waitFor();
    await page.getByText("After the end of the file").waitFor();
    await page.getByRole("button", { name: "Forget the second file" }).click();
    await page.getByText(/The file ends before them/).waitFor();
  }),

  "attention of the forecast that is shown": (options) => visit("#/forecast", options, async (page, mock) => {
    await sample(page);
    await page.getByRole("button", { name: "Attention", exact: true }).click();
    const map = page.getByRole("slider", { name: /^Attention/ });
    await map.waitFor();
    await until(page, () => document.querySelectorAll(".canvas svg").length === 2);
    await map.focus();
    await page.keyboard.press("ArrowRight");
    const first = await map.getAttribute("aria-valuetext");
    assert.match(first, /^level_cm looks at level_cm with [\d.]+ %$/);
    await page.keyboard.press("ArrowDown");
    assert.match(await map.getAttribute("aria-valuetext"), /^wind_ms looks at level_cm/);
    await accessible(page, "attention");
    await shot(page, `attention-${options.theme}-${options.width}`);
    await page.getByRole("button", { name: "layer 2" }).click();
    await until(page, () => location.hash.includes("layer=2"));
    const before = mock.log.filter((e) => e.path.endsWith("attention")).length;
    await page.locator(".cut-range input").focus();
    await page.keyboard.press("ArrowLeft");
    // It follows the cut-off.
    while (mock.log.filter((e) => e.path.endsWith("attention")).length <= before) await page.waitForTimeout(20);
    const { bytes } = await saved(page, () => page.getByRole("group", { name: /attention-itransformer-layer-2/ }).getByRole("button", { name: "CSV" }).click());
    assert.match(bytes.toString(), /^looks,level_cm,wind_ms,air_c,hour of day,day of week/);
  }),

  "a file that is none, and training where there is no model": (options) => visit("#/forecast", { ...options, mock: { empty: true } }, async (page, mock) => {
    await page.locator("input[type=file]").setInputFiles({ name: "bad.csv", mimeType: "text/csv", buffer: Buffer.from("time,a\n2024-01-01,1\n2024-01-02,oops\n") });
    await page.getByText("row 3, column a: oops is no number").waitFor();
    await accessible(page, "refused");
    // What cannot be read may be read otherwise.
    await page.getByRole("button", { name: "columns to leave out" }).click();
    await page.getByLabel(/Columns to leave out/).fill("a");
    await page.getByRole("button", { name: "Say so" }).click();
    await page.getByRole("button", { name: "0 columns: change" }).waitFor();
    await page.getByRole("button", { name: "Start over" }).click();
    await page.getByRole("button", { name: /made-up harbour/ }).click();
    await page.getByRole("group", { name: /known ahead/ }).getByRole("button", { name: "wind_ms" }).click();
    await page.getByRole("button", { name: "Train", exact: true }).click();
    await until(page, () => /epoch \d of 3/.test(document.body.innerText));
    await until(page, () => /^Off by/.test(document.querySelector(".verdict-line")?.textContent ?? ""));
    const asked = JSON.parse(mock.log.find((e) => e.method === "POST" && e.path === "/api/v1/jobs").body.toString());
    assert.deepEqual([asked.command, asked.upload, asked.options["pred-len"], asked.options.known], ["forecast train", "u1", 96, "wind_ms"]);
    // The model has its run's name.
    assert.match(await page.locator(".controls select").first().locator("option:checked").innerText(), /^48 rows ahead by forecast train itransformer, harbour\.csv, 1 Jan/);
  }),
};
