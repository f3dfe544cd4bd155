// Where files are dropped, chosen or pasted. Folders are walked, so that a plate comes as it lies on the disk.
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";

export interface Dropped {
  path: string;
  file: File;
}

async function walk(entry: FileSystemEntry, into: Dropped[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    if (!file.name.startsWith(".")) into.push({ path: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives at most a hundred at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const one of some) await walk(one, into);
  }
}

export async function filesOf(transfer: DataTransfer): Promise<Dropped[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter((e): e is FileSystemEntry => !!e);
  if (!entries.length) return [...transfer.files].map((file) => ({ path: file.name, file }));
  const found: Dropped[] = [];
  for (const entry of entries) await walk(entry, found);
  return found.sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true }));
}

export interface DropProps {
  label: string;
  accept?: string;
  folder?: boolean;
  many?: boolean;
  onFiles: (files: Dropped[]) => void;
  onPaste?: (text: string) => void;
  children?: ComponentChildren;
  small?: boolean;
}

export function Drop({ label, accept, folder, many, onFiles, onPaste, children, small }: DropProps) {
  const [over, setOver] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const dir = useRef<HTMLInputElement>(null);
  const chosen = (input: HTMLInputElement) => {
    onFiles([...(input.files ?? [])].map((f) => ({ path: f.webkitRelativePath || f.name, file: f })).filter(({ file: f }) => !f.name.startsWith(".")));
    input.value = "";
  };
  return (
    <div
      class={`drop${over ? " over" : ""}${small ? " small" : ""}`}
      onDragOver={(e) => { e.preventDefault(); setOver(true); }}
      onDragLeave={() => setOver(false)}
      onDrop={async (e) => {
        e.preventDefault();
        setOver(false);
        if (e.dataTransfer) onFiles(await filesOf(e.dataTransfer));
      }}
    >
      <div class="row">
        <button class={small ? "plain" : "main"} onClick={() => file.current?.click()}>{label}</button>
        {folder && <button class="plain" onClick={() => dir.current?.click()}>a folder of wells</button>}
        {children}
      </div>
      {onPaste && <Paste onPaste={onPaste} />}
      <input ref={file} class="away" type="file" tabIndex={-1} aria-label={label} accept={accept} multiple={many} onChange={(e) => chosen(e.currentTarget)} />
      {folder && (
        <input ref={dir} class="away" type="file" tabIndex={-1} aria-label="a folder of wells" {...{ webkitdirectory: true }} onChange={(e) => chosen(e.currentTarget)} />
      )}
    </div>
  );
}

function Paste({ onPaste }: { onPaste: (text: string) => void }) {
  return (
    <label class="paste">
      <span>or paste three columns: frequency in Hz, Re and Im in Ω</span>
      <textarea
        rows={3} spellcheck={false} placeholder={"100000  20.4  -1.68\n79433   20.5  -2.06\n…"}
        onPaste={(e) => {
          e.preventDefault();
          onPaste(e.clipboardData?.getData("text/plain") ?? "");
        }}
        onChange={(e) => onPaste(e.currentTarget.value)}
      />
    </label>
  );
}
