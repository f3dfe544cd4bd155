// Tables as CSV (RFC 4180), numbers with all their digits.
export interface Column {
  name: string;
  unit?: string;
  values: readonly (number | string | null | undefined)[];
}

const cell = (value: number | string | null | undefined) => {
  if (value === null || value === undefined || (typeof value === "number" && !Number.isFinite(value))) return "";
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
};

export const heading = (column: Column) => (column.unit ? `${column.name} (${column.unit})` : column.name);

export function toCsv(columns: readonly Column[]): string {
  const rows = Math.max(0, ...columns.map((c) => c.values.length));
  const lines = [columns.map((c) => cell(heading(c))).join(",")];
  for (let i = 0; i < rows; i++) lines.push(columns.map((c) => cell(c.values[i])).join(","));
  return lines.join("\n") + "\n";
}
