// A position on the x axis that a hand drags, as the cut-off between what a model knows and what came, and one that it hovers over.
// Keys are not handled here: a range input under the chart has them, and is what a screen reader finds.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Drawn } from "./Chart";
import type { Size } from "./parts";

export interface Sweeping {
  /** Where the line stands; null: there is none. */
  at: number | null;
  label: string;
  pinned: number | null;
  drag: (x: number) => void;
  /** The hand took the line, or let it go: meanwhile the scale must hold still. */
  hold: (held: boolean) => void;
  hover: (x: number | null) => void;
  pin: (x: number) => void;
}

const NEAR = 14;

export function useSweeping(drawn: Drawn | null, size: Size, sweeping: Sweeping | undefined) {
  const held = useRef<"line" | "chart" | null>(null);
  const began = useRef(0);
  const [left, setLeft] = useState<number | null>(null);
  const [pin, setPin] = useState<number | null>(null);
  const pixel = (x: number | null) => {
    if (!drawn || x === null || !drawn.chart.getOption()) return null;
    const at = drawn.chart.convertToPixel({ xAxisIndex: 0 }, x) as unknown as number;
    return Number.isFinite(at) ? at : null;
  };
  useEffect(() => {
    setLeft(pixel(sweeping?.at ?? null));
    setPin(pixel(sweeping?.pinned ?? null));
  });
  void size;
  if (!sweeping) return { attributes: {}, overlay: null };

  const offset = (e: PointerEvent) => e.clientX - (e.currentTarget as HTMLElement).getBoundingClientRect().left;
  const value = (e: PointerEvent) => drawn?.chart.convertFromPixel({ xAxisIndex: 0 }, offset(e)) as unknown as number | undefined;
  const letGo = () => {
    if (held.current === "line") sweeping.hold(false);
    held.current = null;
  };
  const attributes = {
    role: "img",
    class: "drawing sweeping",
    onPointerDown: (e: PointerEvent) => {
      if (e.button !== 0) return;
      began.current = offset(e);
      held.current = left !== null && Math.abs(offset(e) - left) < NEAR ? "line" : "chart";
      if (held.current === "line") sweeping.hold(true);
      (e.currentTarget as HTMLElement).setPointerCapture(e.pointerId);
    },
    onPointerMove: (e: PointerEvent) => {
      const x = value(e);
      if (x === undefined || !Number.isFinite(x)) return;
      if (held.current === "line") sweeping.drag(x);
      else sweeping.hover(x);
    },
    onPointerUp: (e: PointerEvent) => {
      const x = value(e);
      if (held.current === "chart" && x !== undefined && Math.abs(offset(e) - began.current) < 4) sweeping.pin(x);
      letGo();
    },
    onPointerLeave: () => {
      if (!held.current) sweeping.hover(null);
    },
    onPointerCancel: () => letGo(),
  };
  const overlay = (
    <>
      {pin !== null && <i class="pin" style={{ left: `${pin}px` }} />}
      {left !== null && (
        <i class="cutoff" style={{ left: `${left}px` }}>
          <b>{sweeping.label}</b>
        </i>
      )}
    </>
  );
  return { attributes, overlay };
}
