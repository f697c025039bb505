/** Numbers, sizes and times as people read them, and tables whose columns line up. */

export function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Decimal units, as disks and networks count. */
export function megabytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= 1e3 ? `${(bytes / 1e3).toFixed(1)} kB` : `${bytes} B`;
}

export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${milliseconds.toFixed(0)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(milliseconds / 1_000);
  const hours = Math.floor(seconds / 3_600);
  const rest = `${Math.floor((seconds % 3_600) / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
  return hours > 0 ? `${hours}h${rest}` : rest;
}

/** Rows of cells with each column as wide as its widest cell; `right` says which columns end together. */
export function columns(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  const pad = (cell: string, index: number): string =>
    right.includes(index) ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}
