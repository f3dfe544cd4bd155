// Server-sent events from a stream that fetch reads: EventSource cannot send a token. (HTML standard, 9.2.6.)
export interface ServerEvent {
  event: string;
  data: string;
  id: string;
}

/** Feed it text as it comes, in any pieces; it gives the events that are whole. */
export function eventReader(): (text: string) => ServerEvent[] {
  let rest = "";
  let event = "", id = "";
  let data: string[] = [];
  return (text) => {
    const found: ServerEvent[] = [];
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length) found.push({ event: event || "message", data: data.join("\n"), id });
        event = "";
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") event = value;
      else if (field === "data") data.push(value);
      else if (field === "id") id = value;
    }
    return found;
  };
}
