// What was dropped stays in this browser (IndexedDB) under a name made from its content; the address names it, so reload and back find it again.
// Where a browser keeps nothing (a private window), it lives as long as the page.

const FOLDER = "kept";
const memory = new Map<string, unknown>();

/** FNV-1a over the text, twice with different seeds: a name, no protection. */
export function nameOf(text: string): string {
  const hash = (seed: number) => {
    let h = seed;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
    return (h >>> 0).toString(36);
  };
  return hash(0x811c9dc5) + hash(0x9747b28c);
}

function open(): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const asked = indexedDB.open("tidemill", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(FOLDER);
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
}

async function inFolder<T>(mode: IDBTransactionMode, work: (folder: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const base = await open();
  try {
    return await new Promise<T>((done, failed) => {
      const asked = work(base.transaction(FOLDER, mode).objectStore(FOLDER));
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
  } finally {
    base.close();
  }
}

export async function keep(value: unknown, name = nameOf(JSON.stringify(value))): Promise<string> {
  memory.set(name, value);
  try {
    await inFolder("readwrite", (folder) => folder.put(value, name));
  } catch {
    // Kept in memory alone.
  }
  return name;
}

export async function kept<T>(name: string): Promise<T | null> {
  if (memory.has(name)) return memory.get(name) as T;
  try {
    const value = await inFolder("readonly", (folder) => folder.get(name));
    return (value as T | undefined) ?? null;
  } catch {
    return null;
  }
}
