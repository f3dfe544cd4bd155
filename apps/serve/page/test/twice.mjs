// Two builds give the same bytes, the lock file names no host, and the page asks for nothing from elsewhere.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesUnder } from "../steps/files.mjs";

const lock = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8");
assert.doesNotMatch(lock, /:\/\/|"resolved"/, "package-lock.json names a host: npm run lock takes them out");

const build = () => {
  const at = mkdtempSync(join(tmpdir(), "tidemill-page-"));
  const env = { ...process.env, PAGE_OUT: join(at, "built"), PAGE_PACKED: join(at, "packed") };
  execFileSync("node", ["node_modules/vite/bin/vite.js", "build", "--logLevel", "error"], { env, stdio: "inherit" });
  execFileSync("node", ["steps/pack.mjs"], { env });
  const files = filesUnder(env.PAGE_PACKED);
  const sums = files.map((f) => `${createHash("sha256").update(readFileSync(f)).digest("hex")} ${f.slice(at.length)}`);
  const elsewhere = readdirSync(env.PAGE_OUT, { recursive: true }).filter((f) => /\.(html|css)$/.test(f)).flatMap((f) => readFileSync(join(env.PAGE_OUT, f), "utf8").match(/(?:src|href|url)\W{1,2}https?:\/\/[^"')]+/g) ?? []);
  rmSync(at, { recursive: true });
  return { sums, elsewhere };
};
const one = build(), other = build();
assert.deepEqual(one.sums, other.sums);
assert.deepEqual(one.elsewhere, []);
assert.ok(one.sums.length > 5);
console.log(`${one.sums.length} files, twice the same bytes`);
