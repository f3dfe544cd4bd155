// Questions that follow a hand: at most one is under way, and the newest one waits behind it. What a faster hand asked in between is never sent.

export interface Live<Q> {
  ask(question: Q): void;
  stop(): void;
}

export function newestWins<Q, A>(
  send: (question: Q, signal: AbortSignal) => Promise<A>,
  answered: (answer: A, question: Q) => void,
  failed: (reason: unknown, question: Q) => void,
): Live<Q> {
  let waiting: { question: Q } | null = null;
  let control: AbortController | null = null;

  async function run(question: Q) {
    const mine = (control = new AbortController());
    try {
      const answer = await send(question, mine.signal);
      if (!mine.signal.aborted) answered(answer, question);
    } catch (reason) {
      if (!mine.signal.aborted) failed(reason, question);
    }
    if (control !== mine) return;
    control = null;
    const next = waiting;
    waiting = null;
    if (next) void run(next.question);
  }

  return {
    ask(question) {
      if (control) waiting = { question };
      else void run(question);
    },
    stop() {
      waiting = null;
      control?.abort();
      control = null;
    },
  };
}
