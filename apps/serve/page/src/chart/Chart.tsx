// A chart: its title, what it says in one sentence, the drawing, its files (SVG, PNG, CSV), and its twin, a table.
import type { EChartsOption } from "echarts";
import type { EChartsType } from "echarts/core";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Column } from "../base/csv";
import { isDark } from "../base/theme";
import { inkOf, type Ink } from "./ink";
import { usePicking, type Picking } from "./picking";
import { type Size } from "./parts";
import { SaveMenu } from "./SaveMenu";
import { useSweeping, type Sweeping } from "./sweeping";
import { TableTwin, type TwinAction } from "./TableTwin";

export interface Key {
  label: string;
  /** Index into the ink's series. */
  series: number;
  form?: "line" | "dashed" | "dotted" | "dot" | "band" | "ring";
}

export interface ChartProps {
  title: string;
  /** Of the files. */
  name: string;
  /** What the chart shows, for those who do not see it. */
  summary: string;
  columns: Column[];
  draw: (size: Size, ink: Ink) => EChartsOption;
  height?: number;
  keys?: Key[];
  picking?: Picking;
  sweeping?: Sweeping;
  action?: TwinAction;
  readout?: ComponentChildren;
  children?: ComponentChildren;
}

export interface Drawn {
  chart: EChartsType;
  box: HTMLDivElement;
}

/** Loads the engine once, makes the chart, and redraws when the size, the colours or the data change. */
function useDrawing(draw: ChartProps["draw"]) {
  const box = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const [failed, setFailed] = useState("");

  useEffect(() => {
    const at = box.current!;
    let chart: EChartsType | null = null;
    let gone = false;
    const watch = new ResizeObserver(() => setSize({ width: at.clientWidth, height: at.clientHeight }));
    watch.observe(at);
    import("./engine").then(({ init }) => {
      if (gone) return;
      chart = init(at, null, { renderer: "svg" });
      setSize({ width: at.clientWidth, height: at.clientHeight });
      setDrawn({ chart, box: at });
    }, () => setFailed("The part of the page that draws could not be loaded. The table has the numbers."));
    return () => {
      gone = true;
      watch.disconnect();
      chart?.dispose();
    };
  }, []);

  const dark = isDark.value;
  useEffect(() => {
    if (!drawn || size.width < 40) return;
    drawn.chart.resize(size);
    drawn.chart.setOption(draw(size, inkOf(dark)), { notMerge: true, lazyUpdate: false });
  }, [drawn, size.width, size.height, dark, draw]);
  return { box, drawn, size, failed };
}

export function Chart(props: ChartProps) {
  const { box, drawn, size, failed } = useDrawing(props.draw);
  const [table, setTable] = useState(false);
  const picked = usePicking(drawn, size, props.picking, props.draw);
  const swept = useSweeping(drawn, size, props.sweeping);
  const interactive = props.picking ? picked.attributes : props.sweeping ? swept.attributes : { role: "img" };
  return (
    <figure class="chart">
      <figcaption>
        <h2>{props.title}</h2>
        <SaveMenu name={props.name} columns={props.columns} drawn={drawn} table={table} onTable={() => setTable(!table)} />
      </figcaption>
      {props.keys && <Keys keys={props.keys} />}
      {props.readout !== undefined && <p class="readout">{props.readout}</p>}
      <div class="drawing" style={{ height: `${props.height ?? 300}px` }} aria-label={`${props.title}. ${props.summary}`} {...interactive}>
        <div class="canvas" ref={box} aria-hidden="true" />
        {!drawn && <p class="quiet drawing-wait">{failed || "loading the part that draws"}</p>}
        {picked.overlay}
        {swept.overlay}
      </div>
      {props.children}
      {table && <TableTwin title={props.title} columns={props.columns} action={props.action} />}
    </figure>
  );
}

export function Keys({ keys }: { keys: Key[] }) {
  const ink = inkOf(isDark.value);
  return (
    <ul class="keys">
      {keys.map((k) => (
        <li key={k.label}>
          <i class={`key ${k.form ?? "line"}`} style={{ color: ink.series[k.series] ?? ink.muted }} />
          {k.label}
        </li>
      ))}
    </ul>
  );
}
