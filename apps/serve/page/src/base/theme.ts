// Light and dark: what the system says, unless the switch says otherwise. CSS reads data-theme of the root.
import { computed, effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
const KEY = "tidemill-theme";
const dark = typeof matchMedia === "undefined" ? null : matchMedia("(prefers-color-scheme: dark)");
const system = signal(dark?.matches ?? false);
dark?.addEventListener("change", (e) => (system.value = e.matches));

function stored(): Theme {
  try {
    const said = localStorage.getItem(KEY);
    return said === "light" || said === "dark" ? said : "auto";
  } catch {
    return "auto";
  }
}

export const theme = signal<Theme>(stored());
export const isDark = computed(() => (theme.value === "auto" ? system.value : theme.value === "dark"));

export function startTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
    try {
      if (theme.value === "auto") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme.value);
    } catch {
      // Then it lasts as long as the page.
    }
  });
}
