// A job's messages as lines for people: those of GET /log, made from its events.
export interface Told {
  event: string;
  message?: string;
  state?: string;
  exit?: number;
}

/** "" for what is no message. */
export function logLine(t: Told): string {
  if (t.state) return `-- ${t.state}${t.message ? `: ${t.message}` : ""}`;
  if (t.event === "end") return `end: exit ${t.exit ?? 0}`;
  if (!t.message) return "";
  return t.event === "note" ? t.message : `${t.event}: ${t.message}`;
}
