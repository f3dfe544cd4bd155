// Points that a hand, or the arrow keys, go along, and act on: take out of the fit, choose. Several charts may share one `hovered`: then they show the same point.
import type { Signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Drawn } from "./Chart";
import type { Size } from "./parts";

export interface Mark {
  /** Of the point; a point may have marks in several plots of the chart. */
  index: number;
  grid: number;
  x: number;
  y: number;
}

export interface Picking {
  marks: Mark[];
  count: number;
  hovered: Signal<number | null>;
  words: (index: number) => string;
  /** What can be done, where no point is hovered. */
  idle: string;
  /** By a click, Enter, or a box drawn around several; null: they are only read. */
  toggle: ((indices: number[]) => void) | null;
  /** Points in a row, of those that stand in rows: up and down go by rows. */
  stride?: number;
}

interface Spot extends Mark {
  left: number;
  top: number;
}
interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const REACH = 28, CLICK_REACH = 16, DRAG = 6;

const boxOf = (a: { left: number; top: number }, b: { left: number; top: number }): Box => ({
  left: Math.min(a.left, b.left), top: Math.min(a.top, b.top), width: Math.abs(a.left - b.left), height: Math.abs(a.top - b.top),
});

function spotsOf(drawn: Drawn, marks: Mark[]): Spot[] {
  return marks.flatMap((mark) => {
    const at = drawn.chart.convertToPixel({ gridIndex: mark.grid }, [mark.x, mark.y]);
    return Array.isArray(at) && at.every((v) => Number.isFinite(v)) ? [{ ...mark, left: at[0]!, top: at[1]! }] : [];
  });
}

export function usePicking(drawn: Drawn | null, size: Size, picking: Picking | undefined, draw: unknown) {
  const [spots, setSpots] = useState<Spot[]>([]);
  const [dragged, setDragged] = useState<Box | null>(null);
  const start = useRef<{ left: number; top: number } | null>(null);
  const marks = picking?.marks;
  // After the drawing's own effect, which runs first: a chart has no scale before its first option, and another with each drawing.
  useEffect(() => setSpots(drawn && marks && drawn.chart.getOption() ? spotsOf(drawn, marks) : []), [drawn, marks, draw, size.width, size.height]);
  if (!picking) return { attributes: {}, overlay: null };

  const place = (e: PointerEvent) => {
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
    return { left: e.clientX - box.left, top: e.clientY - box.top };
  };
  const nearest = (at: { left: number; top: number }, reach: number) => {
    let best: Spot | null = null, bestAway = reach * reach;
    for (const spot of spots) {
      const away = (spot.left - at.left) ** 2 + (spot.top - at.top) ** 2;
      if (away < bestAway) [best, bestAway] = [spot, away];
    }
    return best;
  };
  const within = (b: Box) =>
    [...new Set(spots.filter((s) => s.left >= b.left && s.left <= b.left + b.width && s.top >= b.top && s.top <= b.top + b.height).map((s) => s.index))];

  const hovered = picking.hovered.value;
  const move = (by: number) => {
    const from = picking.hovered.value ?? (by > 0 ? -1 : picking.count);
    picking.hovered.value = Math.max(0, Math.min(picking.count - 1, from + by));
  };
  const up = picking.stride ? -picking.stride : 1, act = () => hovered !== null && picking.toggle?.([hovered]);
  const keys: Record<string, () => void> = {
    ArrowRight: () => move(1), ArrowUp: () => move(up), ArrowLeft: () => move(-1), ArrowDown: () => move(-up), PageUp: () => move(10), PageDown: () => move(-10),
    Home: () => (picking.hovered.value = 0), End: () => (picking.hovered.value = picking.count - 1), Escape: () => (picking.hovered.value = null), Enter: act, " ": act,
  };
  const attributes = {
    role: "slider", tabIndex: 0, "aria-valuemin": 1, "aria-valuemax": Math.max(1, picking.count), "aria-valuenow": (hovered ?? 0) + 1,
    "aria-valuetext": hovered === null ? picking.idle : picking.words(hovered),
    onKeyDown: (e: KeyboardEvent) => {
      const step = keys[e.key];
      if (!step || e.ctrlKey || e.metaKey || e.altKey) return;
      e.preventDefault();
      step();
    },
    onPointerDown: (e: PointerEvent) => {
      if (e.button !== 0 || !picking.toggle) return;
      start.current = place(e);
      (e.currentTarget as HTMLElement).setPointerCapture(e.pointerId);
    },
    onPointerMove: (e: PointerEvent) => {
      const at = place(e);
      if (start.current) {
        const box = boxOf(start.current, at);
        setDragged(Math.max(box.width, box.height) > DRAG ? box : null);
        return;
      }
      picking.hovered.value = nearest(at, REACH)?.index ?? null;
    },
    onPointerUp: (e: PointerEvent) => {
      const at = place(e);
      // Worked out anew: what was drawn last may be a move behind.
      const box = start.current && boxOf(start.current, at);
      const isBox = box && Math.max(box.width, box.height) > DRAG;
      const chosen = isBox ? within(box) : [nearest(at, CLICK_REACH)?.index].filter((i): i is number => i !== undefined);
      start.current = null;
      setDragged(null);
      if (chosen.length) picking.toggle?.(chosen);
    },
    onPointerLeave: () => {
      if (!start.current) picking.hovered.value = null;
    },
    onPointerCancel: () => {
      start.current = null;
      setDragged(null);
    },
  };
  const overlay = (
    <>
      {hovered !== null && spots.filter((s) => s.index === hovered).map((s) => <i key={s.grid} class="here" style={{ left: `${s.left}px`, top: `${s.top}px` }} />)}
      {dragged && <i class="lasso" style={{ left: `${dragged.left}px`, top: `${dragged.top}px`, width: `${dragged.width}px`, height: `${dragged.height}px` }} />}
    </>
  );
  return { attributes, overlay };
}
