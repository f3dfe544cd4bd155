// Options that the machine's advice gives the next training, chosen on the screen Machine and kept in this browser.
import { effect, signal } from "@preact/signals";

const KEY = "tidemill-advised";
/** Those of the advice that a request may set; threads and memory are the service's own to give. */
export const SETTABLE = ["batch-size", "d-model", "d-ff", "seq-len", "precision", "compile-mode"];

function stored(): Record<string, string | number> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return found && typeof found === "object" ? Object.fromEntries(Object.entries(found).filter(([name]) => SETTABLE.includes(name))) : {};
  } catch {
    return {};
  }
}

export const advised = signal<Record<string, string | number>>(stored());

effect(() => {
  try {
    localStorage.setItem(KEY, JSON.stringify(advised.value));
  } catch {
    // Then it lasts as long as the page.
  }
});

export function advise(name: string, value: string | number | null): void {
  const { [name]: _, ...rest } = advised.peek();
  advised.value = value === null ? rest : { ...rest, [name]: value };
}
