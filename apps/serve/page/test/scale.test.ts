import { describe, expect, it } from "vitest";
import { equalAxes, extent, logRange, logTicks, roundStep } from "../src/chart/scale";

/** Deterministic numbers in [0, 1). */
const numbers = (n: number) => Array.from({ length: n }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32);

describe("equal axes", () => {
  it("has one scale for both, shows all, begins at multiples", () => {
    const r = numbers(600);
    for (let i = 0; i + 6 <= r.length; i += 6) {
      const x0 = 1e4 * (r[i]! - 0.5), y0 = 1e4 * (r[i + 1]! - 0.5);
      const x: [number, number] = [x0, x0 + 10 ** (6 * r[i + 2]! - 2)], y: [number, number] = [y0, y0 + 10 ** (6 * r[i + 3]! - 2)];
      const width = 100 + 900 * r[i + 4]!, height = 100 + 600 * r[i + 5]!;
      const s = equalAxes(x, y, width, height);
      expect((s.x.max - s.x.min) / width / ((s.y.max - s.y.min) / height)).toBeCloseTo(1, 9);
      expect(s.x.min).toBeLessThanOrEqual(x[0]);
      expect(s.x.max).toBeGreaterThanOrEqual(x[1]);
      expect(s.y.min).toBeLessThanOrEqual(y[0]);
      expect(s.y.max).toBeGreaterThanOrEqual(y[1]);
      for (const axis of [s.x, s.y]) expect(Math.abs(axis.min / axis.interval - Math.round(axis.min / axis.interval))).toBeLessThan(1e-6);
    }
  });
  it("one point has axes, too", () => {
    const s = equalAxes([5, 5], [0, 0], 300, 200);
    expect(s.x.max).toBeGreaterThan(5);
    expect(Number.isFinite(s.y.max) && s.y.max > s.y.min).toBe(true);
  });
});

it("steps are 1, 2 or 5 times a power of ten", () => {
  for (const v of numbers(200)) expect(["1", "2", "5"]).toContain(roundStep(10 ** (12 * v - 6), 5).toExponential()[0]);
  expect([roundStep(0, 5), roundStep(NaN, 5)]).toEqual([1, 1]);
});

it("ticks of logarithms are round, inside, and at least two", () => {
  expect(logTicks(0.1, 1e5)).toEqual([0.1, 1, 10, 100, 1000, 1e4, 1e5]);
  expect(logTicks(90, 600)).toEqual([100, 200, 500]);
  expect(logTicks(2.1, 4.9)).toHaveLength(3);
  for (const v of numbers(100)) expect(logTicks(10 ** (-9 * v), 10 ** (-9 * v + 3 * v + 0.01)).length).toBeGreaterThan(1);
});

it("extents leave out what is not there", () => {
  expect(extent([null, NaN, 3, -1, undefined, Infinity])).toEqual([-1, 3]);
  expect(extent([null])).toBeNull();
  expect(logRange([])).toEqual({ min: 0.85, max: expect.closeTo(11.8, 9) });
});
