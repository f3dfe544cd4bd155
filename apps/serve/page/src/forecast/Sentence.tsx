// What was understood of the file, as one sentence. Each word that could have been understood otherwise is a button; what is said there is an option
// of the same name that the command has.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { count } from "../base/units";
import { dateWords, hasClock, stepWords } from "./dates";
import { change, choices, source } from "./state";
import type { Understood } from "./understood";

interface Editable {
  option: string;
  /** Of the editor. */
  label: string;
  choices?: [string, string][];
  placeholder?: string;
}

const STEP: Editable = { option: "freq", label: "Step between rows", placeholder: "h, 15min, d, MS" };
const TIME: Editable = { option: "time-column", label: "Column of the time stamps", placeholder: "date" };
const IGNORE: Editable = { option: "ignore", label: "Columns to leave out, parted by commas", placeholder: "a,b" };
const MISSING: Editable = {
  option: "missing", label: "Empty cells and rows left out",
  choices: [["", "as the file suggests"], ["mask", "learn around them"], ["ffill", "repeat the last"], ["linear", "interpolate"], ["error", "refuse them"]],
};
const SEPARATOR: Editable = { option: "sep", label: "What parts the cells", choices: [["", "as found"], [",", "commas"], [";", "semicolons"], ["\t", "tabs"], ["|", "bars"]] };
const ORDER: Editable = {
  option: "date-order", label: "How 1/2/2023 is read", choices: [["", "as the file suggests"], ["dmy", "the first of February"], ["mdy", "January the second"]],
};
const DECIMAL: Editable = { option: "decimal", label: "Decimal mark", choices: [["", "as found"], [".", "a point"], [",", "a comma"]] };
const ZONE: Editable = { option: "tz", label: "Time zone of the stamps", placeholder: "Europe/Berlin" };

const SEPARATOR_WORDS: Record<string, string> = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars" };
const ORDER_WORDS: Record<string, string> = { dmy: "day first", mdy: "month first" };
const GAP_WORDS: Record<string, string> = { mask: "learned around", ffill: "filled with the last value", linear: "interpolated", error: "refused" };

function Word({ of, children, open, onOpen }: { of: Editable; children: ComponentChildren; open: string; onOpen: (option: string) => void }) {
  const said = of.option in choices.now.value.options;
  return (
    <button class={`word${said ? " said" : ""}`} aria-expanded={open === of.option} aria-label={`${textOf(children)}: change`} onClick={() => onOpen(open === of.option ? "" : of.option)}>
      {children}
    </button>
  );
}
const textOf = (children: ComponentChildren): string => (Array.isArray(children) ? children.map(textOf).join("") : String(children ?? ""));

function Editor({ of, now, onDone }: { of: Editable; now: string; onDone: () => void }) {
  const [text, setText] = useState(choices.now.value.options[of.option] ?? now);
  const set = (value: string) => {
    const { [of.option]: _, ...rest } = choices.now.value.options;
    change(of.label.toLowerCase(), { options: value === "" ? rest : { ...rest, [of.option]: value } });
    onDone();
  };
  return (
    <form class="editor" onSubmit={(e) => (e.preventDefault(), set(text.trim()))} onKeyDown={(e) => e.key === "Escape" && onDone()}>
      <label for="said">{of.label}</label>
      {of.choices ? (
        <select id="said" value={choices.now.value.options[of.option] ?? ""} onChange={(e) => set(e.currentTarget.value)} ref={(at) => at?.focus()}>
          {of.choices.map(([value, word]) => <option key={value} value={value}>{word}</option>)}
        </select>
      ) : (
        <>
          <input id="said" value={text} placeholder={of.placeholder} onInput={(e) => setText(e.currentTarget.value)} ref={(at) => { if (at && document.activeElement?.id !== "said") at.focus(); }} />
          <button class="plain">Say so</button>
        </>
      )}
      <button type="button" class="text" onClick={() => set("")}>as found</button>
    </form>
  );
}

/** What a refusal asks for, in the words of its options: a click says it. */
const REMEDIES: [RegExp, string, string, string][] = [
  [/"decimal" ,/, "decimals by a comma", "decimal", ","], [/"date-order"/, "the day comes first", "date-order", "dmy"], [/"date-order"/, "the month comes first", "date-order", "mdy"],
  [/"sort"/, "put the rows in order", "sort", "true"], [/"missing"/, "learn around the gaps", "missing", "mask"], [/"missing"/, "interpolate the gaps", "missing", "linear"],
];

const ALL = [STEP, TIME, ORDER, IGNORE, MISSING, SEPARATOR, DECIMAL, ZONE];

/** Where a file could not be read: how else it may be. */
export function Otherwise({ fault }: { fault: string }) {
  const [open, setOpen] = useState("");
  const said = choices.now.value.options, now = ALL.find((e) => e.option === open);
  return (
    <div class="understood">
      <p class="row">
        {REMEDIES.filter(([asked, , option, value]) => asked.test(fault) && said[option] !== value).map(([, words, option, value]) => (
          <button key={words} class="plain" onClick={() => change(words, { options: { ...said, [option]: value } })}>{words}</button>
        ))}
        <span class="quiet">Read it otherwise:</span>
        {ALL.map((e) => (
          <button key={e.option} class={`word${e.option in said ? " said" : ""}`} aria-expanded={open === e.option} onClick={() => setOpen(open === e.option ? "" : e.option)}>
            {e.label.toLowerCase().replace(/, parted by commas$/, "")}{e.option in said ? `: ${said[e.option]}` : ""}
          </button>
        ))}
      </p>
      {now && <Editor key={now.option} of={now} now={said[now.option] ?? ""} onDone={() => setOpen("")} />}
    </div>
  );
}

export function Sentence({ table: t }: { table: Understood }) {
  const [open, setOpen] = useState("");
  const said = t.said, told = { ...t.found, ...said }, clock = hasClock(t.numbers.time);
  const word = (of: Editable, children: ComponentChildren) => <Word of={of} open={open} onOpen={setOpen}>{children}</Word>;
  const now = ALL.find((e) => e.option === open);
  return (
    <div class="understood">
      <p class="sentence">
        {source.value?.name} has {t.time ? word(STEP, stepWords(t.time.step)) : word(STEP, "rows without times")}{t.time ? " rows" : ""}
        {t.time && <> from {dateWords(t.time.first, clock)} to {dateWords(t.time.last, clock)} by {word(TIME, told["time-column"] ? `the column ${told["time-column"]}` : "its time column")}</>}
        {t.time && <> ({told["date-order"] && <>{word(ORDER, ORDER_WORDS[told["date-order"]] ?? told["date-order"])}, </>}{word(ZONE, t.time.tz ?? "no time zone")})</>}, {count(t.rows, "row")} of {word(IGNORE, count(t.columns.length, "column"))}, with{" "}
        {word(MISSING, t.gaps ? `${count(t.gaps, "gap")} ${GAP_WORDS[said.missing ?? ""] ?? ""}`.trim() : "no gaps")}; cells are parted {word(SEPARATOR, said.sep ? `by ${SEPARATOR_WORDS[said.sep] ?? said.sep}` : "as found")}, decimals{" "}
        {word(DECIMAL, told.decimal ? `by ${told.decimal === "," ? "a comma" : "a point"}` : "by a point")}.
      </p>
      {now && <Editor key={now.option} of={now} now={said[now.option] ?? ""} onDone={() => setOpen("")} />}
      {t.notes.length > 0 && <ul class="notes">{t.notes.map((n) => <li key={n}>{n}</li>)}</ul>}
    </div>
  );
}
