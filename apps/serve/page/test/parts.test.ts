import { describe, expect, it, vi } from "vitest";
import { toCsv } from "../src/base/csv";
import { eventReader } from "../src/base/events";
import { newestWins } from "../src/base/live";
import { completeRecipe, pythonic, quoted } from "../src/base/recipes";
import { undoable } from "../src/base/undo";
import { dateWords, stepWords } from "../src/forecast/dates";
import { beats, ByHorizon, score } from "../src/forecast/errors";
import { fibreAt, impedance, invariantsOf, quantile, type Values } from "../src/impedance/circuit";
import { mostNarrowing } from "../src/impedance/narrow";
import { layoutOf, placeOf } from "../src/impedance/wells";
import { differences, smoothed } from "../src/runs/curves";
import { namesOf } from "../src/runs/names";
import type { Job, Model, Numbers } from "../src/api";
import { futureAt, joined, knownColumns, knownUntil, ownColumns, rowsCome } from "../src/forecast/ahead";
import { mostLookedAt } from "../src/forecast/attended";
import { seasonOf, withBaselines } from "../src/forecast/baselines";
import { stepOf, understand } from "../src/forecast/understood";

const guide: Values = { Rsh: 460, Ra: 4820, Rb: 2210, Ca: 1.2e-6, Cb: 4.7e-6, Rs: 20 };

describe("columns known ahead", () => {
  const m = { ...({} as Model), seq_len: 3, pred_len: 2, columns: ["a", "price", "holiday"], targets: ["a"], known_ahead: 2, holidays: 1 };
  const file: Numbers = { time: ["1", "2", "3", "4", "5"], columns: { a: [1, 2, 3, null, null], price: [9, 8, 7, 6, null] } };
  it("holidays are not sent, and the rows behind the last value to forecast are rows to come", () => {
    expect(ownColumns(m)).toEqual(["a", "price"]);
    expect(knownColumns(m)).toEqual(["price"]);
    expect(rowsCome(m, file, 5)).toBe(3);
    expect(rowsCome({ ...m, known_ahead: 1 }, file, 5)).toBe(5);
    expect(rowsCome(null, file, 5)).toBe(5);
  });
  it("are there as long as the file, or another, has them", () => {
    expect(futureAt(m, file, 2)).toEqual({ columns: { price: [7, 6] } });
    expect(futureAt(m, file, 3)).toBeNull();
    expect(knownUntil(m, file, 3)).toBe(3);
    // By time: what the file has stays, what came before it has no place, and rows may be out of order.
    const both = joined(file, 5, 3, { time: ["6", "5", "0", "4"], columns: { price: [4, 5, 1, 66], more: [0, 0, 0, 0] } });
    expect(both.time).toEqual(["1", "2", "3", "4", "5", "6"]);
    expect(both.columns).toEqual({ a: [1, 2, 3, null, null, null], price: [9, 8, 7, 6, 5, 4] });
    expect(futureAt(m, both, 3)).toEqual({ columns: { price: [6, 5] } });
    // Without times: behind the rows that have come.
    const bare = joined({ columns: { a: [1, 2, 3], price: [9, 8, 7] } }, 3, 3, { columns: { price: [6, 5] } });
    expect(bare.columns).toEqual({ a: [1, 2, 3, null, null], price: [9, 8, 7, 6, 5] });
    expect(joined(file, 5, 3, null)).toBe(file);
  });
});

it("of a large map of attention those that are looked at most", () => {
  const tokens = ["a", "b", "c", "d"], weights = [[0.1, 0.6, 0.1, 0.2], [0.1, 0.5, 0.1, 0.3], [0, 0.5, 0, 0.5], [0.1, 0.7, 0.1, 0.1]];
  expect(mostLookedAt({ model: "m", layer: 1, tokens, weights }, 2)).toEqual({ names: ["b", "d"], weights: [[0.5, 0.3], [0.7, 0.1]], left: 2 });
  expect(mostLookedAt({ model: "m", layer: 1, tokens, weights }).left).toBe(0);
});

it("no two runs have one name", () => {
  const job = (id: string, more: Partial<Job> = {}) => ({ id, command: "forecast train", options: { arch: "dlinear" }, files: { data: ["sales.csv"] }, created: 1.7e9, ...more }) as Job;
  const names = namesOf([job("x"), job("y"), job("z", { created: 1.7e9 + 20 }), job("w", { created: 1.7e9 + 3600 }), job("v", { name: "mine" }), job("u", { name: "mine" })]);
  expect(new Set(Object.values(names)).size).toBe(6);
  expect(names.w).toMatch(/^forecast train dlinear, sales\.csv, 1[45] Nov, \d\d:13$/);
  expect(names.z).toMatch(/^forecast train dlinear, sales\.csv, \d\d:13:40$/);
  expect([names.x, names.y]).toEqual(["forecast train dlinear, sales.csv, x", "forecast train dlinear, sales.csv, y"]);
  expect(names.v).toBe("mine, v");
});

describe("circuit", () => {
  // tidemill eis simulate --known Rsh=460,Ra=4.82k,Rb=2.21k,Ca=1.2uF,Cb=4.7uF --rs 20 --noise 0
  it.each([
    [15848.93192461114, 20.25634048503348, -10.498667072792683], [158.48931924611142, 388.3489778050372, -151.0102599967177],
    [1.584893192461114, 451.72865155473136, -1.908155207845699], [0.1, 451.74891724527134, -0.12047206772532214],
  ])("at %s Hz is the engine's", (hz, re, im) => {
    const z = impedance(guide, hz, "shunt");
    expect(z.re / re).toBeCloseTo(1, 11);
    expect(z.im / im).toBeCloseTo(1, 11);
  });
  it("every circuit of the fibre has the same spectrum", () => {
    const q = invariantsOf(guide), g = (guide.Ra + guide.Rb) / guide.Rsh;
    for (const other of [0.8, 0.95, 1, 1.1, 1.6]) {
      const p = fibreAt(q, g * other);
      expect(p).not.toBeNull();
      for (const hz of [0.1, 30, 300, 1e4]) {
        const a = impedance(guide, hz, "shunt"), b = impedance({ ...p!, Rs: guide.Rs }, hz, "shunt");
        expect(b.re / a.re).toBeCloseTo(1, 9);
        expect(b.im / a.im).toBeCloseTo(1, 7);
      }
    }
    expect(fibreAt(q, 0)?.Rsh ?? Infinity).toBe(Infinity);
  });
  it("quantiles, with weights and without", () => {
    expect(quantile([5, 1, 3, 2, 4], 0.5)).toBe(3);
    expect(quantile([1, 2, 3], 0.5, [0.1, 0.1, 0.8])).toBe(3);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

it("the parameter that the others follow narrows most", () => {
  const rows = Array.from({ length: 400 }, (_, i) => {
    const u = Math.sin(i * 12.9898), v = Math.sin(i * 78.233), w = Math.sin(i * 3.77);
    return [460, Math.exp(u + 0.1 * v), Math.exp(u + 0.1 * w), Math.exp(w), 1e-6, 20];
  });
  const best = mostNarrowing(rows, undefined, ["Ra", "Rb", "Ca"]);
  expect(["Ra", "Rb"]).toContain(best?.parameter);
  expect(best!.by).toBeGreaterThan(0.3);
  expect(mostNarrowing(rows, undefined, ["Ra"])).toBeNull();
  expect(mostNarrowing([], undefined, ["Ra", "Rb"])).toBeNull();
});

it("wells by their names, or in order", () => {
  expect([placeOf("A1"), placeOf("plate1_B07.csv"), placeOf("x-H12.DTA"), placeOf("well.csv"), placeOf("EIS100.csv"), placeOf("A25.csv")]).toEqual(
    [{ row: 0, column: 0 }, { row: 1, column: 6 }, { row: 7, column: 11 }, null, null, null]);
  expect(layoutOf(["A1", "B2"])).toMatchObject({ rows: 2, columns: 3, named: true });
  expect(layoutOf(["A1", "A1"])).toMatchObject({ named: false });
  expect(layoutOf(["A1", "H12"])).toMatchObject({ rows: 8, columns: 12 });
  expect(layoutOf(["a", "b", "c"]).at.flat().filter((i) => i !== null)).toEqual([0, 1, 2]);
});

it("undo joins what is typed, and says what it takes back", () => {
  const u = undoable("");
  u.change("typed", "a", true);
  u.change("typed", "ab", true);
  u.change("other", "x");
  expect(u.undoName.value).toBe("other");
  u.undo();
  expect([u.now.value, u.undoName.value, u.redoName.value]).toEqual(["ab", "typed", "other"]);
  u.undo();
  expect([u.now.value, u.undoName.value]).toEqual(["", null]);
  u.redo();
  u.redo();
  expect([u.now.value, u.redoName.value]).toEqual(["x", null]);
});

it("of live questions one is under way, and the newest is next", async () => {
  const asked: number[] = [], told: number[] = [];
  const answers: (() => void)[] = [];
  const live = newestWins<number, number>((q) => (asked.push(q), new Promise((go) => answers.push(() => go(q)))), (a) => told.push(a), () => undefined);
  for (const q of [1, 2, 3, 4]) live.ask(q);
  expect(asked).toEqual([1]);
  answers.shift()!();
  await vi.waitFor(() => expect(asked).toEqual([1, 4]));
  live.stop();
  answers.shift()!();
  await Promise.resolve();
  expect(told).toEqual([1]);
});

it("events come whole, in whatever pieces the stream has", () => {
  const text = ": here\n\nid: 1\nevent: progress\ndata: {\"a\":1}\n\nid: 2\r\ndata: two\r\ndata: lines\r\n\r\ndata: last";
  for (let piece = 1; piece < 12; piece++) {
    const read = eventReader(), found = [];
    for (let i = 0; i < text.length; i += piece) found.push(...read(text.slice(i, i + piece)));
    expect(found).toEqual([{ event: "progress", data: '{"a":1}', id: "1" }, { event: "message", data: "two\nlines", id: "2" }]);
  }
});

it("tables and recipes say the same question", () => {
  expect(toCsv([{ name: "a,b", unit: "Ω", values: [1.5, null, NaN] }, { name: "c", values: ['x"y'] }])).toBe('"a,b (Ω)",c\n1.5,"x""y"\n,\n,\n');
  expect([quoted("a b'c"), quoted("Rsh=460,Ra=4.8k"), pythonic({ a: [1, true, null, "q\"x"] })]).toEqual(["'a b'\\''c'", "Rsh=460,Ra=4.8k", '{"a": [1, True, None, "q\\"x"]}']);
  const r = completeRecipe({ spectrum: { freq_hz: [1], z_re_ohm: [2], z_im_ohm: [-3], name: "n" }, known: { Rsh: 460 }, options: { method: "exact" } }, "http://h/", true);
  expect(r.command).toContain("1,2,-3");
  expect(r.command).toContain("--known Rsh=460 --method exact --spectrum spectrum.csv");
  expect(r.curl).toContain("$TIDEMILL_TOKEN");
  expect(r.python).toContain('tm.eis.complete(freq, z, known={"Rsh": 460}, method="exact")');
});

it("errors beside baselines", () => {
  const s = score({ forecast: [1, 2, 9], naive: [2, 4, 9], flat: [1, 2, 9] }, [0, 0, null])!;
  expect(s).toEqual({ steps: 2, mae: { forecast: 1.5, naive: 3, flat: 1.5 } });
  expect(beats(s)).toEqual(["beats naive by 50 %", "as good as flat"]);
  expect(score({ forecast: [1] }, [null])).toBeNull();
  const h = new ByHorizon();
  h.add("forecast", [1, 2], [0, null]);
  h.add("forecast", [3, 2], [0, 1]);
  expect(h.means()).toEqual({ forecast: [2, 1] });
});

it("times in words", () => {
  expect([dateWords("2024-03-12 06:00:00"), dateWords("2024-03-12", true), dateWords("2024-03-12T06:05:00Z", true, false), dateWords("week 7"), dateWords(undefined)]).toEqual(
    ["12 Mar 2024, 06:00", "12 Mar 2024", "12 Mar, 06:05", "week 7", ""]);
  expect([stepWords("h"), stepWords("15min"), stepWords("MS"), stepWords("QE-DEC"), stepWords("?")]).toEqual(["hourly", "every 15 minutes", "monthly", "quarterly", "?"]);
});

it("runs: smoothing without a bias, only what differs", () => {
  expect(smoothed([4, 4, null, 4], 0.9)).toEqual([4, 4, null, 4].map((v) => (v === null ? null : expect.closeTo(v, 12))));
  expect(smoothed([1, 2], 0)).toEqual([1, 2]);
  const job = (options: object) => ({ command: "forecast train", options }) as Job;
  expect(differences([job({ lr: 1, same: 2 }), job({ lr: 3, same: 2, more: true })])).toEqual([{ option: "lr", values: ["1", "3"] }, { option: "more", values: ["–", "true"] }]);
});

it("what a file was understood to be, and baselines beside its forecast", () => {
  const hours = Array.from({ length: 30 }, (_, i) => new Date(Date.UTC(2024, 0, 30) + i * 3_600_000).toISOString().slice(0, 16).replace("T", " "));
  expect(stepOf(hours)).toBe("h");
  expect(stepOf(["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"])).toBe("m");
  expect(stepOf(["2024-01-01 00:00", "2024-01-01 00:15", "2024-01-01 00:30"])).toBe("15min");
  expect([stepOf([]), stepOf(["x", "y"])]).toEqual(["", ""]);
  expect(understand({ rows: 2, names: ["a"], gaps: { a: 1 }, columns: { a: [1, null] } }, {})).toMatchObject({ time: null, gaps: 1 });
  expect([seasonOf("h"), seasonOf("15min"), seasonOf("7min"), seasonOf("d")?.[0]]).toEqual([[24, "the day before"], [96, "the day before"], null, 7]);
  const past = { columns: { a: hours.map((_, i) => i) } };
  const b = withBaselines({ columns: { a: [0, 0] } }, past, "h").baselines!;
  expect(b).toEqual({ "repeating the last": { a: [29, 29] }, "the day before": { a: [6, 7] } });
});
