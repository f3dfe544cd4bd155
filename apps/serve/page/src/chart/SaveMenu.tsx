// The chart's files, and the switch to its table. PNG is the SVG drawn at twice its size.
import { saveFile } from "../base/save";
import { toCsv, type Column } from "../base/csv";
import { isDark } from "../base/theme";
import type { Drawn } from "./Chart";
import { inkOf } from "./ink";

const PNG_SCALE = 2;

/** With the ground of the page, so that a dark chart can be read wherever it is put. */
export function svgOf(drawn: Drawn): string {
  const text = drawn.chart.renderToSVGString({ useViewBox: true });
  const { width, height } = { width: drawn.chart.getWidth(), height: drawn.chart.getHeight() };
  return text.replace(/^(<svg[^>]*>)/, `$1<rect width="${width}" height="${height}" fill="${inkOf(isDark.value).ground}"/>`);
}

async function pngOf(drawn: Drawn): Promise<Blob> {
  const width = drawn.chart.getWidth() * PNG_SCALE, height = drawn.chart.getHeight() * PNG_SCALE;
  const address = URL.createObjectURL(new Blob([svgOf(drawn)], { type: "image/svg+xml" }));
  try {
    const image = new Image(width, height);
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d")!.drawImage(image, 0, 0, width, height);
    return await new Promise((done, failed) => canvas.toBlob((b) => (b ? done(b) : failed(new Error("no PNG"))), "image/png"));
  } finally {
    URL.revokeObjectURL(address);
  }
}

interface SaveMenuProps {
  name: string;
  columns: Column[];
  drawn: Drawn | null;
  table: boolean;
  onTable: () => void;
}

export function SaveMenu({ name, columns, drawn, table, onTable }: SaveMenuProps) {
  return (
    <div class="save" role="group" aria-label={`Files and table of ${name}`}>
      <button class="text" aria-pressed={table} onClick={onTable}>Table</button>
      <button class="text" disabled={!drawn} onClick={() => drawn && saveFile(`${name}.svg`, svgOf(drawn), "image/svg+xml")}>SVG</button>
      <button class="text" disabled={!drawn} onClick={async () => drawn && saveFile(`${name}.png`, await pngOf(drawn))}>PNG</button>
      <button class="text" onClick={() => saveFile(`${name}.csv`, toCsv(columns), "text/csv")}>CSV</button>
    </div>
  );
}
