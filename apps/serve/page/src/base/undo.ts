// Undo and redo of one screen's state: each change has a name, which the button says.
import { computed, signal, type ReadonlySignal } from "@preact/signals";

interface Step<T> {
  name: string;
  before: T;
}

export interface Undoable<T> {
  now: ReadonlySignal<T>;
  /** Steps of one name in a row that `joins` are one step to undo: typing a number is. */
  change(name: string, next: T, joins?: boolean): void;
  /** Without a step to undo: what is looked at is no change. */
  show(next: T): void;
  undo(): void;
  redo(): void;
  /** Begins anew, with nothing to undo. */
  begin(value: T): void;
  undoName: ReadonlySignal<string | null>;
  redoName: ReadonlySignal<string | null>;
}

const DEEPEST = 200;

export function undoable<T>(first: T): Undoable<T> {
  const now = signal(first);
  const past = signal<Step<T>[]>([]);
  const future = signal<{ name: string; after: T }[]>([]);
  return {
    now,
    change(name, next, joins = false) {
      const last = past.value[past.value.length - 1];
      if (!(joins && last?.name === name)) past.value = [...past.value, { name, before: now.value }].slice(-DEEPEST);
      future.value = [];
      now.value = next;
    },
    show(next) {
      now.value = next;
    },
    undo() {
      const last = past.value[past.value.length - 1];
      if (!last) return;
      past.value = past.value.slice(0, -1);
      future.value = [...future.value, { name: last.name, after: now.value }];
      now.value = last.before;
    },
    redo() {
      const next = future.value[future.value.length - 1];
      if (!next) return;
      future.value = future.value.slice(0, -1);
      past.value = [...past.value, { name: next.name, before: now.value }];
      now.value = next.after;
    },
    begin(value) {
      past.value = [];
      future.value = [];
      now.value = value;
    },
    undoName: computed(() => past.value[past.value.length - 1]?.name ?? null),
    redoName: computed(() => future.value[future.value.length - 1]?.name ?? null),
  };
}
