import { render } from "preact";
import "@preact/signals";
import { startTheme } from "./base/theme";
import { App } from "./shell/App";
import "./styles/page.css";

startTheme();
// A file that misses its place must not replace the page.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (e) => e.preventDefault());
const at = document.getElementById("page")!;
at.textContent = "";
render(<App />, at);
