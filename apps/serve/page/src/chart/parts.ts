// What all charts share: axes, marks and lines in the page's ink. Nothing moves by itself, and ECharts' own pop-ups are not used: they are
// made of inline style, which the content policy forbids, and a line of text under the title can be read aloud.
import type { EChartsOption } from "echarts";
import { withUnit } from "../base/units";
import { FONT, type Ink } from "./ink";
import { logTicks } from "./scale";

export interface Size {
  width: number;
  height: number;
}

export const base = (ink: Ink): EChartsOption => ({
  animation: false,
  textStyle: { fontFamily: FONT, color: ink.muted, fontSize: 12 },
  color: ink.series,
});

/** Of plots that stand above each other: one edge for both, so that none gives way to its own labels. */
export const STACKED = { left: 76, right: 16, outerBoundsMode: "none" as const };

interface AxisAsked {
  name?: string;
  gridIndex?: number;
  min?: number | string;
  max?: number | string;
  interval?: number;
  labels?: (value: number) => string;
  hidden?: boolean;
  gap?: number;
  split?: number;
  ticks?: number[];
}

const axis = (ink: Ink, a: AxisAsked, type: "value" | "log") => ({
  type, gridIndex: a.gridIndex ?? 0, name: a.hidden ? "" : a.name, nameLocation: "middle" as const, nameGap: a.gap ?? 28,
  nameTextStyle: { color: ink.muted, fontSize: 12, fontFamily: FONT },
  min: a.min as number, max: a.max as number, interval: a.interval, splitNumber: a.split ?? 5, scale: true,
  axisLine: { show: true, lineStyle: { color: ink.faint }, onZero: false },
  axisTick: { show: !a.hidden, lineStyle: { color: ink.faint }, length: 4, customValues: a.ticks },
  minorTick: { show: false },
  axisLabel: {
    show: !a.hidden, color: ink.muted, fontSize: 11, fontFamily: FONT, hideOverlap: true,
    showMaxLabel: a.interval === undefined ? undefined : false, formatter: a.labels, customValues: a.ticks,
  },
  splitLine: { show: true, showMaxLine: false, lineStyle: { color: ink.rule, width: 1 }, customValues: a.ticks },
});

export const linear = (ink: Ink, asked: AxisAsked) => axis(ink, asked, "value");

const tickDigits = (v: number) => (Math.abs(Number(v.toPrecision(1)) / v - 1) < 1e-6 ? 1 : 3);

/** Ticks are round numbers (scale.ts); limits have to be given. */
export const logarithmic = (ink: Ink, asked: AxisAsked & { min: number; max: number; unit?: string }) =>
  axis(ink, { labels: (v) => withUnit(v, asked.unit ?? "", tickDigits(v)), ticks: logTicks(asked.min, asked.max), ...asked }, "log");

export const line = (name: string, data: (number | null)[][], color: string, more: object = {}) => ({
  type: "line" as const, id: name, name, data, silent: true, showSymbol: false, lineStyle: { color, width: 2 }, itemStyle: { color }, ...more,
});

export const points = (name: string, data: (number | null)[][], color: string, more: object = {}) => ({
  type: "scatter" as const, id: name, name, data, silent: true, symbolSize: 7, itemStyle: { color, borderColor: color, borderWidth: 1 }, ...more,
});

/** The area between two lines over the same x: one stack of two, of which the lower is not seen. */
export function band(name: string, x: number[], low: number[], high: number[], color: string, opacity: number, more: object = {}) {
  const shared = {
    type: "line" as const, stack: name, stackStrategy: "all" as const, silent: true, showSymbol: false, lineStyle: { opacity: 0 }, itemStyle: { color }, ...more,
  };
  return [
    { ...shared, id: `${name} low`, name: `${name} low`, data: x.map((v, i) => [v, low[i]!]) },
    { ...shared, id: `${name} high`, name, data: x.map((v, i) => [v, high[i]! - low[i]!]), areaStyle: { color, opacity } },
  ];
}
