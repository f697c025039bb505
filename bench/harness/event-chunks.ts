/** An endless supply of events as bytes, at a few milliseconds per hundred thousand: lines made once, with a fresh id written into each. */
import { generateChunks } from '../../src/cli/generator.ts';

const LINES = 5_000;
/** Each fiftieth line repeats the one so many lines before it: 2 % duplicates, the whole event the same. */
const REPEAT_EACH = 50;
const REPEAT_BACK = 40;
/** `{"id":"` */
const ID_AT = 7;
const ID_HALF = 6;
const HALF_BITS = 24;
const HALF_MASK = 0xff_ffff;
/** Whoever reads may hold the last chunk while asking for the next. */
const BUFFERS = 3;
const HEX: Buffer = Buffer.from('0123456789abcdef');
/** Space between two streams of one process: no id of one is in another. */
const STREAM_STEP = 2 ** 36;

export interface EventStream {
  readonly chunks: AsyncGenerator<Uint8Array, void, undefined>;
  readonly count: number;
  /** Events without the repeated ones. */
  readonly unique: number;
}

/** `number` tells streams of one process apart; `count` is rounded up to whole chunks. */
export function eventStream({
  count,
  seed,
  number = 0,
}: {
  readonly count: number;
  readonly seed: number;
  readonly number?: number;
}): EventStream {
  const turns = Math.ceil(count / LINES);
  return {
    // The lines are made now, and not within the time of whoever reads them.
    chunks: makeChunks({ turns, lines: template(seed), first: number * STREAM_STEP }),
    count: turns * LINES,
    unique: turns * (LINES - LINES / REPEAT_EACH),
  };
}

/** The same without an end: whoever reads it stops, at the next chunk after `ended` says so. `taken` tells the events given so far. */
export function endlessStream({ seed, ended }: { readonly seed: number; readonly ended: () => boolean }): {
  readonly chunks: AsyncGenerator<Uint8Array, void, undefined>;
  readonly taken: () => { readonly count: number; readonly unique: number };
} {
  let turns = 0;
  const lines = template(seed);
  async function* until(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of makeChunks({ turns: Number.POSITIVE_INFINITY, lines, first: 0 })) {
      if (ended()) return;
      turns += 1;
      yield chunk;
    }
  }
  return { chunks: until(), taken: () => ({ count: turns * LINES, unique: turns * (LINES - LINES / REPEAT_EACH) }) };
}

interface Plan {
  readonly turns: number;
  readonly lines: Template;
  readonly first: number;
}

async function* makeChunks({ turns, lines: { bytes, starts }, first }: Plan): AsyncGenerator<Uint8Array, void, undefined> {
  const buffers = Array.from({ length: BUFFERS }, () => Buffer.from(bytes));
  let next = first;
  for (let turn = 0; turn < turns; turn += 1) {
    const chunk = buffers[turn % BUFFERS]!;
    for (let line = 0; line < LINES; line += 1) {
      if (repeats(line)) copyId(chunk, starts[line]! + ID_AT, starts[line - REPEAT_BACK]! + ID_AT);
      else writeId(chunk, starts[line]! + ID_AT, next++);
    }
    yield chunk;
  }
}

const repeats = (line: number): boolean => line % REPEAT_EACH === REPEAT_EACH - 1;

interface Template {
  readonly bytes: Buffer;
  readonly starts: readonly number[];
}

function template(seed: number): Template {
  const lines = [...generateChunks({ count: LINES, seed })].join('').trimEnd().split('\n');
  for (let line = 0; line < LINES; line += 1) if (repeats(line)) lines[line] = lines[line - REPEAT_BACK]!;
  const starts = [0];
  for (const line of lines) starts.push(starts.at(-1)! + line.length + 1);
  return { bytes: Buffer.from(`${lines.join('\n')}\n`, 'latin1'), starts };
}

/** Twelve digits that look random and differ for each number below 2^48. */
function writeId(bytes: Buffer, at: number, number: number): void {
  const low = Math.imul(number & HALF_MASK, 0x9e3779b1) & HALF_MASK;
  const high = (Math.imul(Math.floor(number / 2 ** HALF_BITS) + 1, 0x85ebca6b) + Math.imul(low, 0xc2b2ae35)) & HALF_MASK;
  for (let digit = 0; digit < ID_HALF; digit += 1) {
    const shift = (ID_HALF - 1 - digit) * 4;
    bytes[at + digit] = HEX[(low >>> shift) & 15]!;
    bytes[at + ID_HALF + digit] = HEX[(high >>> shift) & 15]!;
  }
}

function copyId(bytes: Buffer, to: number, from: number): void {
  bytes.copyWithin(to, from, from + 2 * ID_HALF);
}
