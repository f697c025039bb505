/** Reads a whole stream back with a client of its own and compares it with what was sent: each event once, nothing else, order per subject. */
import { toJsonLine } from '../../src/index.ts';
import type { EventProcessor } from '../../src/index.ts';

export interface StoreVerdict {
  readonly missing: string[];
  readonly extra: string[];
  readonly twice: string[];
  /** First copies that came before an earlier one of their subject. */
  readonly disordered: string[];
}

const EXAMPLES_MAX = 32;

/** `lines`: what was sent, in order, each different. `subjectOf` tells the order that must hold. */
export async function judgeStore(processor: EventProcessor, lines: readonly string[], filter = '>'): Promise<StoreVerdict> {
  const place = new Map(lines.map((line, index) => [line, index]));
  const seen = new Map<string, number>();
  const last = new Map<string, number>();
  const verdict: StoreVerdict = { missing: [], extra: [], twice: [], disordered: [] };
  const add = (list: string[], line: string): void => void (list.length < EXAMPLES_MAX && list.push(line));
  for await (const { event, subject } of processor.replay({ subject: filter })) {
    const line = toJsonLine(event);
    const index = place.get(line);
    if (index === undefined) add(verdict.extra, line);
    else if (seen.has(line)) add(verdict.twice, line);
    else if (index < (last.get(subject) ?? -1)) add(verdict.disordered, `${line} after ${lines[last.get(subject)!]}`);
    seen.set(line, 1);
    if (index !== undefined) last.set(subject, Math.max(index, last.get(subject) ?? -1));
  }
  for (const line of lines) if (!seen.has(line)) add(verdict.missing, line);
  return verdict;
}
