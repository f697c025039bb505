/** The dead letters of a folder: appended durably by any number of processes, and listed, shown and purged by any other. */
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { MillraceError } from '../api/errors.ts';
import { encodeLine } from './checked-line.ts';
import { letterOf, letterValue } from './dead-letter-line.ts';
import type { LetterValue } from './dead-letter-line.ts';
import { purgeLetters, readPurged } from './dead-letter-purge.ts';
import { RAW_BYTES_LIMIT, folderError, listSegments, readLines, sealedPath } from './dead-letter-segment.ts';
import type { Damage, DeadLetter, DeadLetterFilter, DeadLetterInput } from './dead-letter-types.ts';
import { matchesFilter } from './dead-letter-types.ts';
import { DeadLetterWriter } from './dead-letter-writer.ts';
import { isSurelyDead } from './process-place.ts';
import type { SegmentFiles } from './segment-files.ts';
import { nodeFiles } from './segment-files.ts';
import type { LetterSink } from './letter-sink.ts';

const MIB = 1_024 * 1_024;

export interface DeadLetterStoreOptions {
  /** Bytes kept of one event; of more, size and hash. Default 1 MiB, at most 8 MiB. */
  readonly rawBytesMax?: number;
  /** A segment of this size is ended. Default 64 MiB. */
  readonly segmentBytesMax?: number;
  /** Not yet safe bytes above which `append` says that there is no room. Default 8 MiB. */
  readonly queueBytesMax?: number;
  /** The disk refused. Letters stay in memory; pause, and call `flush` again: it tries anew. */
  readonly onError?: (error: MillraceError) => void;
  readonly files?: SegmentFiles;
  readonly now?: () => Date;
}

export interface ListOptions {
  /** Told for each stretch that is no letter any more. */
  readonly onDamage?: (damage: Damage) => void;
}

export interface DeadLetterSummary {
  readonly letters: number;
  readonly segments: number;
  readonly damage: readonly Damage[];
}

export class DeadLetterStore implements LetterSink {
  readonly folder: string;
  readonly #rawBytesMax: number;
  readonly #queueBytesMax: number;
  readonly #now: () => Date;
  readonly #writer: DeadLetterWriter;
  readonly #token: string = randomBytes(4).toString('hex');
  #closing: Promise<void> | null = null;

  private constructor(folder: string, options: DeadLetterStoreOptions) {
    this.folder = folder;
    this.#rawBytesMax = Math.min(options.rawBytesMax ?? MIB, RAW_BYTES_LIMIT);
    this.#queueBytesMax = options.queueBytesMax ?? 8 * MIB;
    this.#now = options.now ?? (() => new Date());
    const { segmentBytesMax = 64 * MIB, files = nodeFiles, onError = () => undefined } = options;
    this.#writer = new DeadLetterWriter({ folder, segmentBytesMax, files, onError, now: this.#now });
  }

  /** The folder is made at the first letter. Fails with MILLRACE_DEAD_LETTERS when something else has its name. */
  static async open(folder: string, options: DeadLetterStoreOptions = {}): Promise<DeadLetterStore> {
    const stats = await stat(folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw folderError(folder, error);
    });
    if (stats !== null && !stats.isDirectory()) throw folderError(folder, new Error('it is not a folder'));
    return new DeadLetterStore(folder, options);
  }

  /** Letters appended through this store. */
  get count(): number {
    return this.#writer.appended;
  }

  /** How many of them are on the disk for certain. */
  get safeCount(): number {
    return this.#writer.safe;
  }

  /** Queues a letter; it is never refused. False = wait for `flush` before the next, or memory grows. */
  append(letter: DeadLetterInput): boolean {
    if (this.#closing !== null) throw new MillraceError('MILLRACE_CLOSED', `the dead letter store ${this.folder} is closed`);
    const id = `${this.#token}-${this.#writer.appended + 1}`;
    return this.appendValue(letterValue(letter, { id, time: this.#now(), rawBytesMax: this.#rawBytesMax }));
  }

  /** One that has its id, time and bounds already. */
  appendValue(value: LetterValue): boolean {
    this.#writer.append(encodeLine(value));
    return this.#writer.queuedBytes < this.#queueBytesMax;
  }

  /** Resolves when every letter appended before is safe; fails with MILLRACE_DEAD_LETTERS, and keeps them for the next call. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** Letters on the disk, of all processes, oldest segment first. What is still queued is not among them. */
  async *list(filter: DeadLetterFilter = {}, { onDamage = () => undefined }: ListOptions = {}): AsyncGenerator<DeadLetter> {
    for (const { path, base, writer } of await listSegments(this.folder)) {
      const purged = await readPurged(this.folder, base);
      // The last line of a living writer may just be on its way.
      const growing = writer !== null && !isSurelyDead(writer.place, writer.pid);
      const tell = (damage: Damage): void => {
        if (!(growing && damage.torn)) onDamage(damage);
      };
      for await (const value of readLines(path, tell, sealedPath(this.folder, base))) {
        const letter = letterOf(value);
        if (letter !== null && !purged.has(letter.id) && matchesFilter(letter, filter)) yield letter;
      }
    }
  }

  async get(id: string): Promise<DeadLetter | null> {
    for await (const letter of this.list({ ids: new Set([id]) })) return letter;
    return null;
  }

  /** Reads everything: how much there is, and what is damaged. */
  async summary(filter: DeadLetterFilter = {}): Promise<DeadLetterSummary> {
    const damage: Damage[] = [];
    let letters = 0;
    for await (const _ of this.list(filter, { onDamage: (one) => damage.push(one) })) letters += 1;
    return { letters, segments: (await listSegments(this.folder)).length, damage };
  }

  /** Removes what matches (no member given: everything) and says how many letters that were. */
  async purge(filter: DeadLetterFilter): Promise<number> {
    await this.#writer.flush();
    await this.#writer.seal();
    return purgeLetters(this.folder, filter);
  }

  /** Idempotent. Fails with MILLRACE_DEAD_LETTERS when letters could not be made safe: they are lost then, and the message counts them. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    try {
      await this.#writer.flush();
    } catch (error) {
      const lost = this.count - this.safeCount;
      throw folderError(
        this.folder,
        new Error(`${lost} letters could not be written: ${(error as Error).message}`, { cause: error }),
        'write',
      );
    } finally {
      await this.#writer.seal().catch(() => undefined); // Sealing only helps purge; the letters are safe.
    }
  }
}
