// An answer's question, as a command, as curl and in Python.
import { useState } from "preact/hooks";
import type { Recipe } from "../base/recipes";
import { copyText } from "../base/save";

const WORDS: [keyof Recipe, string][] = [["command", "command"], ["curl", "curl"], ["python", "Python"]];

export function CopyAs({ recipe, what = "Copy as" }: { recipe: () => Recipe; what?: string }) {
  const [said, setSaid] = useState("");
  const copy = async (form: keyof Recipe, word: string) => setSaid((await copyText(recipe()[form])) ? `copied as ${word}` : "the browser refused to copy");
  return (
    <div class="copyas" role="group" aria-label={what}>
      <span class="quiet">{what}</span>
      {WORDS.map(([form, word]) => <button key={form} class="text" onClick={() => copy(form, word)}>{word}</button>)}
      <span class="quiet" role="status">{said}</span>
    </div>
  );
}

/** A number that is copied with its unit. */
export function Copied({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState(false);
  const copy = async () => {
    setSaid(await copyText(text));
    setTimeout(() => setSaid(false), 1500);
  };
  return (
    <button class="figure" onClick={copy} aria-label={`Copy ${label}: ${text}`} title="Copy with its unit">
      {text}
      <span class="said" role="status">{said ? "copied" : ""}</span>
    </button>
  );
}
