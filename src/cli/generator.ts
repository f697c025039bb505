/** Sample events as NDJSON: the same text for the same seed, ids that differ, and exactly the share of duplicates asked for. */
import type { Shape } from './generator-shapes.ts';
import { shapes } from './generator-shapes.ts';
import { Random } from './random.ts';

export interface GenerateOptions {
  readonly count: number;
  /** Share of lines that repeat an earlier line, from 0 to 1. Default 0. */
  readonly duplicates?: number;
  /** Default 1. */
  readonly seed?: number;
  /** Default `page-views`. */
  readonly shape?: Shape;
}

/** A duplicate repeats one of about so many lines before it, so that a window that remembers them finds it. */
export const RECENT_LINES_MAX = 10_000;

const CHUNK_CHARS = 65_536;

/** Lines that are duplicates: the first line cannot be one. */
export function duplicateCount({ count, duplicates = 0 }: GenerateOptions): number {
  return Math.min(Math.round(count * duplicates), Math.max(0, count - 1));
}

/** Chunks of whole lines, ASCII only, about 64 KiB each. */
export function* generateChunks(options: GenerateOptions): Generator<string, void, undefined> {
  const { count, seed = 1, shape = 'page-views' } = options;
  const random = new Random(seed);
  const makeLine = shapes[shape](random);
  const history = new History();
  let duplicatesLeft = duplicateCount(options);
  for (let line = 0; line < count; line += 1) {
    // Selection sampling: each line still to come is as likely as any other to be one of the duplicates left.
    const repeats = duplicatesLeft > 0 && line > 0 && random.below(count - line) < duplicatesLeft;
    if (repeats && history.lines === 0) yield history.closeChunk();
    history.append(repeats ? history.line(random.below(history.lines)) : makeLine());
    if (repeats) duplicatesLeft -= 1;
    if (history.chunkChars >= CHUNK_CHARS) yield history.closeChunk();
  }
  if (history.chunkChars > 0) yield history.closeChunk();
}

/**
 * The newest lines of closed chunks. It keeps the chunks and where lines start in them: to keep each line as a string of its own would
 * make every line outlive the young generation, which halves the rate.
 */
class History {
  /** Closed lines that can be repeated. */
  lines: number = 0;
  chunkChars: number = 0;
  #chunk: string = '';
  #starts: number[] = [0];
  readonly #closed: { readonly text: string; readonly starts: readonly number[] }[] = [];

  append(line: string): void {
    this.#chunk += line;
    this.chunkChars += line.length;
    this.#starts.push(this.chunkChars);
  }

  /** The chunk so far; forgets chunks that are wholly too far back. */
  closeChunk(): string {
    const text = this.#chunk;
    this.#closed.push({ text, starts: this.#starts });
    this.lines += this.#starts.length - 1;
    while (this.#closed.length > 1 && this.lines > RECENT_LINES_MAX) this.lines -= this.#closed.shift()!.starts.length - 1;
    this.#chunk = '';
    this.chunkChars = 0;
    this.#starts = [0];
    return text;
  }

  /** The closed line `back` lines before the newest one. */
  line(back: number): string {
    let left = back;
    for (let index = this.#closed.length - 1; ; index -= 1) {
      const { text, starts } = this.#closed[index]!;
      const lines = starts.length - 1;
      if (left < lines) return text.slice(starts[lines - 1 - left], starts[lines - left]);
      left -= lines;
    }
  }
}
