// The page for the C build: node steps/build.mjs OUT DEPFILE. Types are checked, Vite builds, pack.mjs packs into OUT; DEPFILE says what it all follows from.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { filesUnder } from "./files.mjs";

const [out, depfile] = process.argv.slice(2).map((path) => resolve(path));
const source = new URL("..", import.meta.url).pathname;
const env = { ...process.env, PAGE_OUT: join(out, "built"), PAGE_PACKED: out };
const run = (...words) => execFileSync(process.execPath, words, { cwd: source, env, stdio: ["ignore", "inherit", "inherit"] });

run("node_modules/typescript/bin/tsc", "--noEmit");
run("node_modules/vite/bin/vite.js", "build", "--logLevel", "warn");
run("steps/pack.mjs");

const sources = filesUnder(join(source, "src"));
const rest = ["index.html", "vite.config.ts", "tsconfig.json", "package-lock.json", "steps/build.mjs", "steps/files.mjs", "steps/pack.mjs"].map((f) => join(source, f));
writeFileSync(depfile, `${join(out, "page_files.inc")}: ${[...sources, ...rest].map((f) => f.replace(/ /g, "\\ ")).join(" ")}\n`);
