// The numbers of a chart as a table. Long ones show their first rows: the CSV has all.
import { useState } from "preact/hooks";
import { heading, type Column } from "../base/csv";
import { plain } from "../base/units";

/** A box on each row, such as "in the fit". */
export interface TwinAction {
  heading: string;
  isOn: (row: number) => boolean;
  toggle: (row: number) => void;
  label: (row: number) => string;
}

const AT_ONCE = 200;
const shown = (v: Column["values"][number]) => (typeof v === "number" ? plain(v, 5) : v ?? "–");

export function TableTwin({ title, columns, action }: { title: string; columns: Column[]; action?: TwinAction }) {
  const [most, setMost] = useState(AT_ONCE);
  const rows = Math.max(0, ...columns.map((c) => c.values.length));
  return (
    <div class="twin" tabIndex={0} role="region" aria-label={`Table: ${title}`}>
      <table>
        <caption class="away">{title}</caption>
        <thead>
          <tr>
            {action && <th scope="col">{action.heading}</th>}
            {columns.map((c) => <th key={c.name} scope="col">{heading(c)}</th>)}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: Math.min(rows, most) }, (_, i) => (
            <tr key={i} class={action && !action.isOn(i) ? "out" : undefined}>
              {action && <td><input type="checkbox" checked={action.isOn(i)} aria-label={action.label(i)} onChange={() => action.toggle(i)} /></td>}
              {columns.map((c) => <td key={c.name} class={typeof c.values[i] === "string" ? "word" : undefined}>{shown(c.values[i])}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
      {rows > most && <button class="text" onClick={() => setMost(most * 5)}>Show more: {most} of {rows} rows are here</button>}
    </div>
  );
}
