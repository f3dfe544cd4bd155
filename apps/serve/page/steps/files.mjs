// All files under a folder, by their whole paths, in order.
import { readdirSync } from "node:fs";
import { join } from "node:path";

/** The folder of an entry has another name before Node 20, and the old one is gone in 24. */
export const filesUnder = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
