// Impedance: from a dropped file to an answer, points taken out, a known value typed; and a plate.
import assert from "node:assert/strict";
import { accessible, drawn, saved, shot, until, visit } from "./harness.mjs";
import { simulate } from "../mock-eis.mjs";

const csv = (s) => "frequency_hz,z_re_ohm,z_im_ohm\n" + s.freq_hz.map((f, i) => `${f},${s.z_re_ohm[i]},${s.z_im_ohm[i]}`).join("\n");
const guide = { known: { Rsh: 460, Ra: 4820, Rb: 2210, Ca: 1.2e-6, Cb: 4.7e-6 }, options: { rs: 20, noise: 0.01, seed: 7 } };
const file = (name, text) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
const answered = (page) => until(page, () => document.querySelector(".chip")?.textContent.startsWith("refined") && !document.querySelector(".chip.busy"));
const asks = (mock, path) => mock.log.filter((e) => e.path === `/api/v1/eis/${path}`).map((e) => ({ ...e, json: JSON.parse(e.body.toString() || "null") }));
const choose = (page, files) => page.locator("input[type=file]").first().setInputFiles(files);

export const tests = {
  "a file, exact then refined": (options) => visit("", options, async (page, mock) => {
    await page.getByRole("heading", { name: "What does this spectrum say?" }).waitFor();
    await accessible(page, "empty");
    await choose(page, file("well.csv", csv(simulate(guide))));
    await answered(page);
    await drawn(page, 6);
    const methods = asks(mock, "complete").map((a) => a.json.options.method);
    assert.deepEqual(methods, ["exact", "refined"]);
    assert.match(await page.locator(".headline").first().innerText(), /TER[\s\S]*431 Ω/);
    assert.match(await page.locator(".verdict").innerText(), /Sound/);
    await accessible(page, "answered");
    await shot(page, `impedance-${options.theme}-${options.width}`);
    // Reload: the address and this browser hold the state.
    await page.reload();
    await answered(page);
    assert.match(await page.locator("h1").innerText(), /well\.csv/);
  }),

  "points out, by hand and by keys, and back": (options) => visit("", options, async (page, mock) => {
    const s = simulate(guide);
    s.z_re_ohm[30] *= 1.4;
    await choose(page, file("outlier.csv", csv(s)));
    await answered(page);
    await until(page, () => /stands? off/.test(document.querySelector(".verdict")?.textContent ?? ""));
    assert.equal(await page.locator(".verdict.flawed").count(), 1);
    const nyquist = page.getByRole("slider", { name: /^Nyquist/ });
    await nyquist.focus();
    for (let i = 0; i < 31; i++) await page.keyboard.press("ArrowRight");
    assert.match(await nyquist.getAttribute("aria-valuetext"), /100 Hz/);
    await page.keyboard.press("Enter");
    await until(page, () => /Sound/.test(document.querySelector(".verdict")?.textContent ?? ""));
    await answered(page);
    assert.equal(asks(mock, "complete").at(-1).json.spectrum.freq_hz.length, 60);
    assert.match(page.url(), /out=0:30/);
    await page.getByRole("button", { name: /^Undo: took out point 31/ }).click();
    await until(page, () => /off/.test(document.querySelector(".verdict")?.textContent ?? ""));
    // A box around everything but the ends, in the Bode plot.
    const bode = page.getByRole("slider", { name: /^Bode/ });
    await bode.scrollIntoViewIfNeeded();
    const box = await bode.boundingBox();
    await page.mouse.move(box.x + box.width * 0.4, box.y + 5);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.55, box.y + box.height * 0.5, { steps: 4 });
    await page.mouse.up();
    await until(page, () => /of them not in the fit/.test(document.querySelector(".heading").textContent));
    await page.keyboard.press("Control+z");
    await until(page, () => !/of them not in the fit/.test(document.querySelector(".heading").textContent));
    // The table has the same boxes.
    await page.getByRole("group", { name: /nyquist/ }).getByRole("button", { name: "Table" }).click();
    await page.getByRole("checkbox", { name: /point at 100 kHz/ }).uncheck();
    await until(page, () => /1 of them not in the fit/.test(document.querySelector(".heading").textContent));
  }),

  "a known value, live: older requests are aborted": (options) => visit("", { ...options, mock: { delays: { "/api/v1/eis/complete": (body) => (/"known":\{\}.*"refined"/.test(body) ? 20_000 : 0) } } }, async (page, mock) => {
    await choose(page, file("well.csv", csv(simulate(guide))));
    await until(page, () => document.querySelector(".chip.busy")?.textContent.includes("refining"));
    await until(page, () => document.querySelector(".chip")?.textContent.startsWith("exact"));
    while (!asks(mock, "complete").some((a) => a.json.options.method === "refined")) await page.waitForTimeout(20);
    await page.getByLabel(/^Rsh/).fill("460");
    await answered(page);
    const all = asks(mock, "complete");
    assert.deepEqual(all.at(-1).json.known, { Rsh: 460 });
    assert.ok(all.some((a) => a.json.options.method === "refined" && a.aborted), "the refined answer of the older question was aborted");
    assert.match(page.url(), /known=Rsh:460/);
    await page.getByLabel(/^Ra/).fill("4.8q");
    assert.match(await page.locator("#told-Ra").innerText(), /no resistance/);
    await page.getByLabel(/^Ra/).fill("");
    // The answer as a command, and a figure with its unit.
    await page.getByRole("group", { name: "Copy this answer as" }).getByRole("button", { name: "command" }).click();
    await page.getByText("copied as command").waitFor();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /--known Rsh=460/);
    await page.getByRole("button", { name: /Copy TER/ }).click();
    await until(page, () => document.querySelector(".figure .said")?.textContent === "copied");
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^\d+ Ω$/);
    const files = page.getByRole("group", { name: /^Files and table of well.csv-nyquist/ });
    for (const [kind, begins] of [["SVG", "<svg"], ["PNG", "\x89PNG"], ["CSV", "frequency (Hz),"]]) {
      const { name, bytes } = await saved(page, () => files.getByRole("button", { name: kind }).click());
      assert.equal(name, `well.csv-nyquist.${kind.toLowerCase()}`);
      assert.ok(bytes.toString("latin1").startsWith(begins), `${kind} begins with ${begins}`);
    }
  }),

  "a candidate is chosen on the joint plot, by keys, by hand and in the table": (options) => visit("", options, async (page) => {
    await choose(page, file("well.csv", csv(simulate(guide))));
    await answered(page);
    await drawn(page, 6);
    const joint = page.getByRole("slider", { name: /^Two together/ });
    await joint.focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
    assert.match(await joint.getAttribute("aria-valuetext"), /^Candidate 3: Rsh .*probability 12 %$/);
    await page.keyboard.press("Enter");
    await until(page, () => location.hash.includes("candidate=3"));
    const keys = (name) => page.locator("figure", { hasText: name }).first().locator(".keys").innerText();
    assert.match(await keys("Nyquist"), /candidate 3/);
    assert.match(await keys("Bode"), /candidate 3/);
    assert.match(await page.locator("figure", { hasText: "What the spectrum cannot tell" }).innerText(), /cannot tell/);
    await accessible(page, "a candidate");
    await shot(page, `candidate-${options.theme}-${options.width}`);
    await page.reload();
    await answered(page);
    await until(page, () => /candidate 3/.test(document.querySelector(".keys").textContent));
    await page.getByText("4 candidates").click();
    await page.getByRole("button", { name: "Show candidate 1" }).click();
    await until(page, () => !location.hash.includes("candidate"));
    assert.match(await keys("Nyquist"), /fit/);
    // By hand: the ring of the second, where the keys find it.
    await joint.focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    const ring = await joint.locator(".here").boundingBox();
    await page.mouse.click(ring.x + ring.width / 2, ring.y + ring.height / 2);
    await until(page, () => /candidate=\d/.test(location.hash));
  }),

  "a plate: wells, a reason that is kept": (options) => visit("", options, async (page) => {
    const wells = ["A1", "A2", "B1", "B2"].map((name, i) => file(`plate_${name}.csv`, csv(simulate({ ...guide, known: { ...guide.known, Rsh: 200 + 150 * i }, options: { ...guide.options, seed: i + 1 } }))));
    await choose(page, [...wells, file("notes.txt", "no spectrum")]);
    await until(page, () => document.querySelectorAll(".well.ter").length === 4);
    assert.match(await page.locator(".fault").innerText(), /notes\.txt: .*no spectrum/);
    await page.getByRole("button", { name: /B2\.csv/ }).click();
    await page.getByLabel(/^Leave/).fill("it leaked");
    await page.getByRole("button", { name: "Leave it out" }).click();
    await page.getByText("is left out: it leaked").first().waitFor();
    await accessible(page, "plate");
    await shot(page, `plate-${options.theme}-${options.width}`);
    await page.reload();
    await page.getByText("is left out: it leaked").first().waitFor();
    const { bytes } = await saved(page, () => page.locator(".plate").getByRole("button", { name: "CSV", exact: true }).click());
    assert.match(bytes.toString(), /plate_B2\.csv,.*it leaked/);
  }),

  "pasted, and what is refused": (options) => visit("", options, async (page) => {
    await page.locator("textarea").fill("1,2\n3,4");
    await page.locator("textarea").blur();
    await page.getByText("Three columns are wanted").waitFor();
    await page.locator("textarea").fill(csv(simulate(guide)));
    await page.locator("textarea").blur();
    await answered(page);
  }),
};
