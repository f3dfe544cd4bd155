import { describe, expect, it } from "vitest";
import { readPasted } from "../src/base/pasted";

const rows = [[1e5, 20.4, -1.68], [1e4, 21.5, -12.5], [1e3, 90.25, -150], [100, 380, -120], [1, 450, -1.5]] as const;
const text = (separator: string, head = "", number: (v: number) => string = String) => head + rows.map((r) => r.map((v) => number(v)).join(separator)).join("\r\n") + "\n\n";

describe("pasted spectra", () => {
  it.each([
    ["tabs", text("\t")], ["blanks", text("   ")], ["commas", text(", ")], ["semicolons and decimal commas", text(";", "", (v) => String(v).replace(".", ","))],
    ["names over it", text("\t", "Freq/Hz\tZre/ohm\tZim/ohm\n")], ["comments", text(",", "# a comment\n%another\n")], ["leading blanks", text("\t").replace(/^/gm, "  ")],
  ])("parted by %s", (_, pasted) => {
    const found = readPasted(pasted);
    expect(found).not.toHaveProperty("fault");
    if ("fault" in found) return;
    expect(found.spectrum.freq_hz).toEqual(rows.map((r) => r[0]));
    expect(found.spectrum.z_re_ohm).toEqual(rows.map((r) => r[1]));
    expect(found.spectrum.z_im_ohm).toEqual(rows.map((r) => r[2]));
  });

  it("takes columns by their names, and the sign of -Im", () => {
    const found = readPasted("-Im(Z),freq,Re(Z)\n" + rows.map(([f, re, im]) => `${-im},${f},${re}`).join("\n"));
    if ("fault" in found) throw new Error(found.fault);
    expect(found.spectrum.z_im_ohm).toEqual(rows.map((r) => r[2]));
    expect(found.spectrum.freq_hz).toEqual(rows.map((r) => r[0]));
  });

  it.each([
    ["", "Nothing"], ["  \n # no\n", "Nothing"], ["hello world", "Three columns"], ["1,2,3\n4,5,6", "at least 5"], [text(",").replace("90.25", "oops"), "Row 3"], [text(",").replace("1000,", "-5,"), "Row 3"],
  ])("%j is refused in words", (pasted, words) => expect(readPasted(pasted)).toHaveProperty("fault", expect.stringContaining(words)));
});
