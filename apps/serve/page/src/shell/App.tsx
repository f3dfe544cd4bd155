// The frame: the four screens, the theme, the token. Which screen is shown, and in which state, the address says.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { place, writeAddress } from "../base/address";
import { theme, type Theme } from "../base/theme";
import { get } from "../base/client";
import { Fault } from "./Working";
import { Token } from "./Token";

/** A screen is loaded when it is first gone to. */
const SCREENS: [string, string, () => Promise<ComponentType>][] = [
  ["impedance", "Impedance", () => import("../impedance/Impedance").then((m) => m.Impedance)],
  ["forecast", "Forecast", () => import("../forecast/Forecast").then((m) => m.Forecast)],
  ["runs", "Runs", () => import("../runs/Runs").then((m) => m.Runs)],
  ["machine", "Machine", () => import("../machine/Machine").then((m) => m.MachineScreen)],
];
/** Where a screen was left: going back to it finds it so. */
const left: Record<string, Record<string, string>> = {};

export function App() {
  const { screen, query } = place.value;
  const [id, name, load] = SCREENS.find(([word]) => word === screen) ?? SCREENS[0]!;
  const [there, setThere] = useState<{ id: string; Screen: ComponentType | null } | null>(null);
  // A new token is a new visit: what was refused is asked again.
  const [visit, setVisit] = useState(0);
  left[screen] = query;
  useEffect(() => {
    document.title = `${name} · Tidemill`;
    let gone = false;
    const show = (Screen: ComponentType | null) => !gone && setThere({ id, Screen });
    load().then(show, () => show(null));
    return () => {
      gone = true;
    };
  }, [id]);
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>To the content</a>
      <header class="top">
        <a class="mark" href="#/impedance"><Mark />Tidemill</a>
        <nav aria-label="Screens">
          {SCREENS.map(([to, word]) => (
            <a key={to} href={writeAddress({ screen: to, query: left[to] ?? {} })} aria-current={word === name ? "page" : undefined}>{word}</a>
          ))}
        </nav>
        <ThemeSwitch />
      </header>
      <Token again={() => setVisit(visit + 1)} />
      <main id="main" tabIndex={-1}>
        {there?.id === id && (there.Screen ? <there.Screen key={visit} /> : <Fault what={`The screen ${name} could not be loaded: is the service still running? Reload the page.`} />)}
      </main>
      <Foot />
    </>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <circle cx="16" cy="16" r="13.2" />
      <path d="M3.5 18.5c4.2-5 8.3-5 12.5 0s8.3 5 12.5 0" />
    </svg>
  );
}

function ThemeSwitch() {
  return (
    <label class="theme">
      <span class="away">Colours</span>
      <select value={theme.value} onChange={(e) => (theme.value = e.currentTarget.value as Theme)}>
        <option value="auto">as the system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}

function Foot() {
  const [version, setVersion] = useState("");
  useEffect(() => {
    get<{ version?: string }>("healthz").then((h) => setVersion(h.version ?? ""), () => undefined);
  }, []);
  return (
    <footer>
      <span>Everything here stays on the machine that runs the service.</span>
      <a href="docs">Interface</a>
      {version && <span>Tidemill {version}</span>}
    </footer>
  );
}
