// The forecast screen: from a dropped table to a forecast that can be doubted, by dragging it through the past.
import { useEffect, useState } from "preact/hooks";
import { inWords, serviceAddress, token } from "../base/client";
import { curlOf, pythonic, quoted, type Recipe } from "../base/recipes";
import { toCsv } from "../base/csv";
import { saveFile } from "../base/save";
import { duration } from "../base/units";
import { CopyAs } from "../shell/CopyAs";
import { later as loadedLater } from "../shell/later";
import { Drop, type Dropped } from "../shell/Drop";
import { UndoBar } from "../shell/UndoBar";
import { Fault, Working } from "../shell/Working";
import { Ahead } from "./Ahead";
import { knownColumns } from "./ahead";
import { ForecastChart, frameOf } from "./ForecastChart";
import { forecast, fault, LEVELS, startForecasting, type Shown } from "./live";
import { sampleSeries } from "./sample";
import { Otherwise, Sentence } from "./Sentence";
import {
  change, choices, close, columnNames, followAddress, forecasters, listModels, model, modelNames, models, modelsFault, open, readFault, reading, showLayer, shown, source, startReading, suits, table,
} from "./state";

export function Forecast() {
  const [said, setSaid] = useState("");
  useEffect(() => {
    const stops = [followAddress(() => setSaid("The file of this address is not kept in this browser: drop it again.")), startReading(), startForecasting()];
    void listModels();
    return () => stops.forEach((stop) => stop());
  }, []);
  const files = async (dropped: Dropped[]) => {
    const first = dropped[0];
    if (!first) return;
    setSaid(dropped.length > 1 ? `${dropped.length} files came; this one is read: ${first.file.name}.` : "");
    try {
      await open({ name: first.file.name, text: await first.file.text() });
    } catch (reason) {
      setSaid(inWords(reason));
    }
  };
  if (!source.value)
    return (
      <div class="welcome">
        <h1>What comes next?</h1>
        <p class="lead">Drop a table of series over time. One sentence says how it was understood; then drag the cut-off through its past and see how a model would have done.</p>
        <Drop label="Choose a CSV" accept=".csv,.txt,.tsv,text/csv" onFiles={files} />
        {said && <Fault what={said} />}
        <p class="samples">
          <span class="quiet">Nothing at hand?</span>
          <button class="text" onClick={() => open({ name: "harbour.csv", text: sampleSeries() })}>Try a made-up harbour: tide, wind, temperature</button>
        </p>
      </div>
    );
  return (
    <>
      <div class="heading">
        <h1>{source.value.name}</h1>
        <div class="tools">
          <UndoBar of={choices} />
          <Drop label="Another file" small accept=".csv,.txt,.tsv,text/csv" onFiles={files}><button class="plain" onClick={close}>Start over</button></Drop>
        </div>
      </div>
      {said && <Fault what={said} />}
      {reading.value && <Working what={reading.value} />}
      {readFault.value && <Fault what={readFault.value} />}
      {readFault.value && <Otherwise fault={readFault.value} />}
      {table.value && !readFault.value && <Sentence table={table.value} />}
      {table.value && <Controls />}
      {fault.value && <Fault what={fault.value} />}
      {table.value && <Ahead />}
      {table.value && model.value && <ForecastChart />}
      {forecast.value && <Answered f={forecast.value} />}
      {table.value && <HorizonErrors />}
      {table.value && model.value && suits(model.value, table.value) && <AttentionPart />}
      {table.value && <Train />}
    </>
  );
}

const HorizonErrors = loadedLater(() => import("./HorizonErrors").then((m) => m.HorizonErrors));
const Train = loadedLater(() => import("./Train").then((m) => m.Train));
const Attention = loadedLater(() => import("./Attention").then((m) => m.Attention));

function AttentionPart() {
  const open = choices.now.value.layer > 0;
  return (
    <section class="horizon-errors">
      <p class="row">
        <button class="plain" aria-expanded={open} onClick={() => showLayer(open ? 0 : 1)}>Attention</button>
        <span class="quiet">whom the network looks at for this forecast</span>
      </p>
      {open && <Attention />}
    </section>
  );
}

const SPANS: [number, string][] = [[3, "close"], [6, "near"], [15, "far"], [40, "whole seasons"]];

function Controls() {
  const c = choices.now.value, t = table.value!, m = model.value;
  const toggle = (name: string) => {
    const next = shown.value.includes(name) ? shown.value.filter((n) => n !== name) : [...shown.value, name];
    if (next.length) change(`${shown.value.includes(name) ? "hid" : "showed"} ${name}`, { shown: columnNames.value.filter((n) => next.includes(n)) });
  };
  return (
    <div class="controls">
      <label>
        <span>Model</span>
        <select value={m?.id ?? ""} disabled={!forecasters.value.length} onChange={(e) => change("took another model", { model: e.currentTarget.value })}>
          {!forecasters.value.length && <option value="">{models.value ? "none yet: train one below" : "looking for models"}</option>}
          {forecasters.value.map((f) => <option key={f.id} value={f.id}>{f.pred_len} rows ahead by {modelNames.value[f.id] ?? f.id}{suits(f, t) ? "" : " (other columns)"}</option>)}
        </select>
      </label>
      <label>
        <span>View</span>
        <select value={c.span} onChange={(e) => change("changed the view", { span: Number(e.currentTarget.value) })}>
          {SPANS.map(([n, word]) => <option key={n} value={n}>{word}</option>)}
        </select>
      </label>
      <div class="row columns" role="group" aria-label="Columns">
        {columnNames.value.map((name) => <button key={name} class="chip-button" aria-pressed={shown.value.includes(name)} onClick={() => toggle(name)}>{name}</button>)}
      </div>
      {modelsFault.value && <Fault what={modelsFault.value} />}
    </div>
  );
}

/** The file up to the cut-off, in a shell: where each line is a row. */
function cutInShell(name: string, f: Shown, known: boolean): { before: string[]; data: string } {
  const lines = (source.value?.text ?? "").trimEnd().split("\n").length, whole = table.value?.rows ?? 0;
  if (f.cut >= whole || lines !== whole + 1) return { before: [], data: `--data ${quoted(name)}` };
  if (!known) return { before: [`head -n ${f.cut + 1} ${quoted(name)} > past.csv`], data: "--data past.csv" };
  const ahead = model.value?.pred_len ?? 0;
  return {
    before: [`head -n ${f.cut + 1} ${quoted(name)} > past.csv`, `(head -n 1 ${quoted(name)}; tail -n +${f.cut + 2} ${quoted(name)} | head -n ${ahead}) > future.csv`],
    data: "--data past.csv --future future.csv",
  };
}

function recipeOf(f: Shown): Recipe {
  const name = source.value?.name ?? "series.csv", run = `runs/${f.request.model}`, m = model.value, known = m ? knownColumns(m) : [];
  const { before, data } = cutInShell(name, f, known.length > 0);
  const frame = known.length
    ? `df = df.iloc[:${f.cut + (m?.pred_len ?? 0)}]\ndf.loc[df.index[${f.cut}:], ${pythonic(m!.targets.filter((t) => !known.includes(t)))}] = None`
    : `df = df.iloc[:${f.cut}]`;
  return {
    command: [...before, `tidemill forecast predict ${quoted(run)} ${data}${f.request.level.length ? ` --level ${LEVELS.join(",")}` : ""}`].join("\n"),
    curl: curlOf(serviceAddress(), "api/v1/forecast/predict", f.request, !!token.value),
    python: `import pandas as pd\nimport tidemill as tm\n\ndf = pd.read_csv(${JSON.stringify(name)}, parse_dates=[0])\n${frame}\nprint(tm.load(${JSON.stringify(run)}).predict(df${f.request.level.length ? `, level=[${LEVELS.join(", ")}]` : ""}))`,
  };
}

function Answered({ f }: { f: Shown }) {
  return (
    <div class="row between">
      <CopyAs recipe={() => recipeOf(f)} what="Copy this forecast as" />
      <span class="row">
        <span class="quiet">answered in {duration(f.ms / 1000)}</span>
        <button class="text" onClick={() => saveFile("forecast.csv", toCsv(frameOf(f)), "text/csv")}>Save the forecast as CSV</button>
      </span>
    </div>
  );
}
