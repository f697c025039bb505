/**
 * Names and reads the files of a dead letter folder. Every undamaged letter is found whatever happened to its
 * neighbours; each damaged stretch is told once.
 *
 *     <UTC time>-<token>.<place>.<pid>.open   being written by that process, or left behind when it died
 *     <UTC time>-<token>.letters              sealed: nobody writes to it any more
 *     <UTC time>-<token>.purged               letters of that segment that count as removed
 */
import type { FileHandle } from 'node:fs/promises';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '../api/errors.ts';
import { decodeLine } from './checked-line.ts';
import type { Damage } from './dead-letter-types.ts';

export interface Segment {
  readonly path: string;
  /** Name without what follows the token; it stays when the segment is sealed. */
  readonly base: string;
  /** Writer of an open segment, null when it is sealed. */
  readonly writer: { readonly place: string; readonly pid: number } | null;
}

const segmentName = /^(\d{8}T\d{9}Z-[0-9a-f]{8})\.(?:letters|([0-9a-f]{8})\.(\d+)\.open)$/u;
const LINE_BREAK = 0x0a;
/** A longer stretch without a line break is damage: RAW_BYTES_LIMIT × 4/3 for base64, and the rest for headers and texts. */
const LINE_BYTES_MAX = 16 * 1_024 * 1_024;
/** No option may keep more of one event's bytes. */
export const RAW_BYTES_LIMIT: number = 8 * 1_024 * 1_024;

/** Oldest first. A folder that does not exist has none. */
export async function listSegments(folder: string): Promise<Segment[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw folderError(folder, error);
  });
  const segments = names.toSorted(byName).flatMap((name) => {
    const [, base, place, pid] = segmentName.exec(name) ?? [];
    if (base === undefined) return [];
    return [{ path: join(folder, name), base, writer: place === undefined ? null : { place, pid: Number(pid) } }];
  });
  // A segment that was sealed while the folder was read can show up under both names.
  return segments.filter(({ base }, index) => segments.findIndex((other) => other.base === base) === index);
}

/** Where a segment is, or will be, once nobody writes to it any more. */
export function sealedPath(folder: string, base: string): string {
  return join(folder, `${base}.letters`);
}

/** The values of all good lines of a file. A file that is gone has none; one that was sealed meanwhile is found under `otherwise`. */
export async function* readLines(path: string, onDamage: (damage: Damage) => void, otherwise: string = path): AsyncGenerator<unknown> {
  const file = (await tryOpen(path)) ?? (await tryOpen(otherwise));
  if (file === null) return;
  const damage = new DamageJoiner(path, onDamage);
  let pending: Buffer = Buffer.alloc(0);
  let searched = 0;
  let offset = 0;
  try {
    for await (const chunk of file.createReadStream({ highWaterMark: 256 * 1_024 }) as AsyncIterable<Buffer>) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      let from = 0;
      for (let end = pending.indexOf(LINE_BREAK, searched); end >= 0; end = pending.indexOf(LINE_BREAK, from)) {
        yield* linesOf(pending.subarray(from, end), offset + from, damage, false);
        from = end + 1;
      }
      if (pending.length - from > LINE_BYTES_MAX) {
        damage.add(offset + from, pending.length - from, false);
        from = pending.length;
      }
      offset += from;
      pending = pending.subarray(from);
      searched = pending.length;
    }
  } catch (error) {
    throw folderError(path, error);
  }
  if (pending.length > 0) yield* linesOf(pending, offset, damage, true);
  damage.end();
}

export function folderError(path: string, cause: unknown, doing: string = 'read'): MillraceError {
  if (cause instanceof MillraceError) return cause;
  const { message } = cause as Error;
  return new MillraceError('MILLRACE_DEAD_LETTERS', `cannot ${doing} dead letters in ${path}: ${message}`, {
    cause,
    context: { file: path },
  });
}

/** By code unit, not by language: the names begin with their time. */
const byName = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

async function tryOpen(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw folderError(path, error);
  }
}

/** One line, or several whose line breaks were damaged: a good one tells by its length where the next begins. */
function* linesOf(stretch: Uint8Array, offset: number, damage: DamageJoiner, last: boolean): Generator<unknown> {
  let from = 0;
  while (from < stretch.length) {
    const line = decodeLine(stretch.subarray(from));
    if (line === null) return damage.add(offset + from, stretch.length - from, last);
    yield line.value;
    from += line.end;
    if (from < stretch.length) damage.add(offset + from, 1, false); // Where its line break was.
    from += 1;
  }
}

/** Stretches that touch are one damage: a flipped bit may cut a line in two. */
class DamageJoiner {
  readonly #file: string;
  readonly #onDamage: (damage: Damage) => void;
  #current: Damage | null = null;

  constructor(file: string, onDamage: (damage: Damage) => void) {
    this.#file = file;
    this.#onDamage = onDamage;
  }

  add(byteOffset: number, bytes: number, torn: boolean): void {
    const current = this.#current;
    const touches = current !== null && current.byteOffset + current.bytes + 1 >= byteOffset;
    if (!touches) this.end();
    const start = touches ? current.byteOffset : byteOffset;
    this.#current = { file: this.#file, byteOffset: start, bytes: byteOffset + bytes - start, torn };
  }

  end(): void {
    if (this.#current !== null) this.#onDamage(this.#current);
    this.#current = null;
  }
}
