// After Vite: each file gzipped, the budget checked, and what a C program embeds written beside them.
//   DIR/page/*.gz       the files, compressed (no time and no name inside, so that two builds give the same bytes)
//   DIR/page.json       the manifest: path, type, sizes, sha256, whether its name is hashed (then it never changes)
//   DIR/page_files.inc    the same as a C table over byte arrays, for #include in one place
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { filesUnder } from "./files.mjs";

const built = process.env.PAGE_OUT ?? "dist";
const out = process.env.PAGE_PACKED ?? join(built, "..", "packed");
// Bytes, gzipped: what any of the screens loads at once, and the part that draws.
const BUDGET = { "at once": 40_000, charts: 225_000 };
const CHARTS = "src/chart/engine.ts";
const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml" };

const files = filesUnder(built).map((path) => relative(built, path).replace(/\\/g, "/")).filter((path) => !path.startsWith(".vite/"));
const index = readFileSync(join(built, "index.html"), "utf8");
if (/<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=/.test(index)) throw new Error("index.html has inline script or style: the content policy forbids both");

// Only what this makes is taken away: OUT may hold other things.
rmSync(join(out, "page"), { recursive: true, force: true });
mkdirSync(join(out, "page"), { recursive: true });
const manifest = files.map((path) => {
  const raw = readFileSync(join(built, path));
  const packed = gzipSync(raw, { level: 9 });
  // Byte 9 is the system that packed it: "unknown" everywhere.
  packed[9] = 255;
  const type = TYPES[path.split(".").pop()];
  if (!type) throw new Error(`${path}: a kind of file that the service has no type for`);
  writeFileSync(join(out, "page", path.replace(/\//g, "-") + ".gz"), packed);
  return {
    path, type, bytes: raw.length, gzip_bytes: packed.length, sha256: createHash("sha256").update(raw).digest("hex"), hashed: /-[\w-]{8}\.\w+$/.test(path),
    packed,
  };
});

// What comes with a chunk: itself and all that it imports, but for what it asks for later.
const chunks = JSON.parse(readFileSync(join(built, ".vite", "manifest.json"), "utf8"));
const withImports = (name, seen = new Set()) => {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const other of chunks[name].imports ?? []) withImports(other, seen);
  return seen;
};
const sizeOf = (names) => [...names].reduce((sum, name) => sum + manifest.find((f) => f.path === chunks[name].file).gzip_bytes, 0);
const page = withImports("index.html");
const screens = chunks["index.html"].dynamicImports;
const frame = manifest.filter((f) => /\.(html|css|svg)$/.test(f.path)).reduce((sum, f) => sum + f.gzip_bytes, 0);
const largest = Math.max(...screens.map((name) => sizeOf(withImports(name, new Set(page)))));
const alone = [...withImports(CHARTS)].filter((name) => !page.has(name));
const sums = { "at once": frame + largest, charts: sizeOf(alone) };
for (const [when, most] of Object.entries(BUDGET)) {
  console.log(`${when}: ${(sums[when] / 1000).toFixed(1)} kB gzipped of ${most / 1000}`);
  if (!(sums[when] <= most)) throw new Error(`what is loaded ${when} takes ${sums[when]} bytes gzipped; ${most} are the most`);
}

writeFileSync(join(out, "page.json"), JSON.stringify(manifest.map(({ packed, ...rest }) => rest), null, 2) + "\n");
const array = (bytes, name) => {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 32) lines.push("    " + [...bytes.subarray(i, i + 32)].join(",") + ",");
  return `static const unsigned char ${name}[] = {\n${lines.join("\n")}\n};\n`;
};
writeFileSync(join(out, "page_files.inc"), [
  "/* Made from apps/serve/page by steps/pack.mjs. Bodies are gzipped; hashed: the name changes with the content. */",
  "typedef struct page_file {", "    const char *path, *type, *sha256; /* sha256 of what is unpacked, hex */", "    const unsigned char *gzip;",
  "    unsigned long gzip_bytes, bytes;", "    int hashed;", "} page_file;", "",
  ...manifest.map((f, i) => array(f.packed, `page_file_${i}`)),
  "static const page_file page_files[] = {",
  ...manifest.map((f, i) => `    { "${f.path}", "${f.type}", "${f.sha256}", page_file_${i}, sizeof page_file_${i}, ${f.bytes}ul, ${Number(f.hashed)} },`),
  "};", "enum { PAGE_FILES = sizeof page_files / sizeof *page_files };", "",
].join("\n"));
