// What the model is told of the rows to come: where it comes from, and where it is not there, what is wanted.
import { useState } from "preact/hooks";
import { inWords } from "../base/client";
import { count } from "../base/units";
import { Drop, type Dropped } from "../shell/Drop";
import { Fault } from "../shell/Working";
import { futureAt, knownColumns, knownUntil } from "./ahead";
import { cutWords } from "./ForecastChart";
import { change, choices, cut, later, model, openLater, rows, series } from "./state";

const listed = (names: string[]) => (names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}` : names[0] ?? "");

export function Ahead() {
  const m = model.value, s = series.value, at = cut.value;
  const [fault, setFault] = useState("");
  const names = m ? knownColumns(m) : [];
  if (!m || !names.length || names.some((name) => !(name in s.columns))) return null;
  const take = async ([first]: Dropped[]) => {
    if (!first) return;
    try {
      await openLater({ name: first.file.name, text: await first.file.text() });
      setFault("");
    } catch (reason) {
      setFault(inWords(reason));
    }
  };
  const forget = () => {
    later.value = null;
    change("forgot the rows to come", { later: "" });
  };
  const what = `${listed(names)} of the ${count(m.pred_len, "row")} to come`;
  const brought = choices.now.value.later && later.value;
  if (futureAt(m, s, at))
    return (
      <p class="quiet">
        The model is told {what}: {at + m.pred_len <= rows.value ? "the file has it." : brought ? "the second file has it." : "the last rows of the file have it."}{" "}
        {brought && <button class="text" onClick={forget}>Forget the second file</button>}
      </p>
    );
  const until = knownUntil(m, s, at);
  return (
    <div class="hint ahead" role="group" aria-label="Rows to come">
      <p>
        For a forecast from {cutWords(at)} the model must be told {what}.{" "}
        {until < at ? "The file ends before them" : `The file has it up to ${cutWords(until)} alone`}: bring a file with {names.length > 1 ? "these columns" : "this column"} and
        the time of each row, or move the cut-off back.
      </p>
      <div class="row">
        <Drop label="A file with rows to come" small accept=".csv,.txt,.tsv,text/csv" onFiles={(files) => void take(files)} />
        <button class="plain" onClick={() => change("moved the cut-off", { cut: rows.value - m.pred_len })}>Move the cut-off back</button>
        {brought && <button class="text" onClick={forget}>Forget the second file</button>}
      </div>
      {fault && <Fault what={fault} />}
    </div>
  );
}
