// Undo and redo, by button and by Ctrl+Z; each says what it takes back.
import { useEffect } from "preact/hooks";
import type { Undoable } from "../base/undo";

const inText = (target: EventTarget | null) => target instanceof HTMLElement && target.matches("input:not([type=range]):not([type=checkbox]), textarea");

export function UndoBar<T>({ of }: { of: Undoable<T> }) {
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (!(e.ctrlKey || e.metaKey) || e.key.toLowerCase() !== "z" || inText(e.target)) return;
      e.preventDefault();
      if (e.shiftKey) of.redo();
      else of.undo();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [of]);
  const undo = of.undoName.value, redo = of.redoName.value;
  if (!undo && !redo) return null;
  return (
    <div class="undo" role="group" aria-label="Undo">
      <button class="text" disabled={!undo} onClick={() => of.undo()}>{undo ? `Undo: ${undo}` : "Undo"}</button>
      {redo && <button class="text" onClick={() => of.redo()}>Redo: {redo}</button>}
    </div>
  );
}
