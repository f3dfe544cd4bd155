import { describe, expect, it } from "vitest";
import { bytes, duration, percent, plain, readQuantity, withUnit } from "../src/base/units";

describe("quantities", () => {
  it.each([
    [4820, "Ω", "4.82 kΩ"], [460, "Ω", "460 Ω"], [999.96, "Ω", "1.00 kΩ"], [1.2e-6, "F", "1.20 µF"], [3.7e-10, "F", "370 pF"], [0, "Ω", "0 Ω"], [-1500, "Ω", "-1.50 kΩ"],
    [0.1, "Hz", "100 mHz"], [1e5, "Hz", "100 kHz"], [NaN, "Ω", "–"], [null, "Ω", "–"], [Infinity, "Ω", "–"], [42, "", "42.0"],
  ])("%s %s is shown as %s", (value, unit, text) => expect(withUnit(value, unit)).toBe(text));

  it.each([
    ["460", 460], ["4.8k", 4800], ["4.8 kΩ", 4800], ["4,8k", 4800], ["3.7uF", 3.7e-6], ["3.7 µF", 3.7e-6], ["1e-6", 1e-6], ["2.2 M", 2.2e6], ["470 nF", 4.7e-7], [".5m", 5e-4], ["12 ohm", 12],
  ])("%s is read", (text, value) => expect(readQuantity(text)! / value).toBeCloseTo(1, 12));

  it.each(["", "k", "4.8kk", "4 8", "1e", "abc", "--3", "1,2,3", "1e999"])("%j is no quantity", (text) => expect(readQuantity(text)).toBeNull());

  it("what is shown is read as the same, within its digits", () => {
    for (let e = -14; e < 13; e++)
      for (const lead of [1, 2.346, 9.994, 9.996]) {
        const value = lead * 10 ** e;
        expect(readQuantity(withUnit(value, "Ω"))! / value).toBeGreaterThan(0.994);
        expect(readQuantity(withUnit(value, "Ω"))! / value).toBeLessThan(1.006);
      }
  });
});

it("shares, sizes, times", () => {
  expect([percent(0.0122), percent(0), percent(null), percent(0.5)]).toEqual(["1.2 %", "0 %", "–", "50 %"]);
  expect([bytes(49152), bytes(1310720), bytes(16 * 2 ** 30), bytes(12), bytes(null)]).toEqual(["48 KiB", "1.3 MiB", "16 GiB", "12 bytes", "–"]);
  expect([duration(0.0123), duration(3.21), duration(61), duration(3725), duration(null)]).toEqual(["12 ms", "3.2 s", "1 min 1 s", "1 h 2 min", "–"]);
  expect([plain(12345.678), plain(0.1234567), plain(0), plain(1e-9), plain(null)]).toEqual(["12,346", "0.1235", "0", "1.000e-9", "–"]);
});
