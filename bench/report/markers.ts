/** Replaces what stands between two markers of a page, and nothing else; a marker without a partner is an error. */

export function replaceBetween(page: string, name: string, text: string): string {
  const open = `<!-- bench:${name} -->`;
  const close = `<!-- /bench:${name} -->`;
  const start = page.indexOf(open);
  const end = page.indexOf(close);
  if (start < 0 || end < start) throw new Error(`PERF.md has no pair of markers ${open} … ${close}`);
  return `${page.slice(0, start + open.length)}\n${text.trim()}\n${page.slice(end)}`;
}

export function markersOf(page: string): string[] {
  return [...page.matchAll(/<!-- bench:(\S+) -->/g)].map((match) => match[1]!);
}
