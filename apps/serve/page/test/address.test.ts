import { expect, it } from "vitest";
import { readAddress, readPairs, readRanges, writeAddress, writePairs, writeRanges, type Place } from "../src/base/address";

it("a place is its address, both ways", () => {
  const places: Place[] = [
    { screen: "impedance", query: {} }, { screen: "runs", query: { ids: "a,b", log: "1" } }, { screen: "forecast", query: { shown: "level%20cm", x: "a b&c=d#e+f%" } },
  ];
  for (const place of places) expect(readAddress(writeAddress(place))).toEqual(place);
  expect(writeAddress({ screen: "a", query: { z: "1", b: "2", empty: "" } })).toBe("#/a?b=2&z=1");
  expect(readAddress("")).toEqual({ screen: "impedance", query: {} });
  expect(readAddress("#/nonsense?%%%")).toMatchObject({ screen: "nonsense" });
});

it("pairs and ranges", () => {
  expect(readPairs(writePairs({ Rsh: "460", Ra: "4.8k", Rb: "" }))).toEqual({ Rsh: "460", Ra: "4.8k" });
  expect(writeRanges([7, 1, 2, 3, 3, 9, 10])).toBe("1-3,7,9-10");
  expect(readRanges("1-3,7,9-10")).toEqual([1, 2, 3, 7, 9, 10]);
  expect(readRanges("x,5-3,-1,1-")).toEqual([]);
  expect(readRanges("0-99999999999").length).toBeLessThan(200_000);
});
