/**
 * Saves how far each file of an ingest is settled, after the dead letters of what it passed are on disk, and says where the next run goes on. What
 * settled since the last save is read again after a crash.
 */
import { stat } from 'node:fs/promises';
import { SourceProgress } from './checkpoint-progress.ts';
import type { Outbound } from './outbound.ts';
import type { Parts } from './parts.ts';
import { FileSource } from './source-file.ts';
import { identityOfFile, isStdinName, pathOfSource } from './source-name.ts';
import type { ByteSource, ObjectSource } from './source-types.ts';
import { MillraceError, messageOf } from '../api/errors.ts';
import type { Source } from '../api/options.ts';
import { Checkpoint } from '../resilience/checkpoint.ts';
import type { CheckpointEntry } from '../resilience/checkpoint.ts';
import { resumePoint } from '../resilience/resume-point.ts';
import type { ResumePoint } from '../resilience/resume-point.ts';

const SAVE_MS = 100;

const CHANGES: Readonly<Record<ResumePoint['reason'], string | null>> = {
  fresh: null,
  resumed: null,
  replaced: 'is another file',
  shorter: 'is shorter than it was',
  changed: 'holds something else than it did',
};

export class CheckpointKeeper {
  readonly #parts: Parts;
  readonly #outbound: Outbound;
  readonly #checkpoint: Checkpoint;
  readonly #open: Set<SourceProgress> = new Set();
  readonly #named: Map<string, number> = new Map();
  readonly #timer: NodeJS.Timeout;
  #saving: Promise<void> = Promise.resolve();
  #busy = false;
  #warned = false;

  private constructor(parts: Parts, outbound: Outbound, checkpoint: Checkpoint) {
    this.#parts = parts;
    this.#outbound = outbound;
    this.#checkpoint = checkpoint;
    this.#timer = setInterval(() => this.#saveSoon(), SAVE_MS);
  }

  /** Fails with MILLRACE_CHECKPOINT when another process has it, or when no copy of it can be trusted. */
  static async open(path: string, parts: Parts, outbound: Outbound): Promise<CheckpointKeeper> {
    const checkpoint = await Checkpoint.open(path, { onWarning: (message) => parts.signals.emit('warning', message) });
    return new CheckpointKeeper(parts, outbound, checkpoint);
  }

  /** What is stored of any of these sources beyond its position comes after this sequence; null = not known. */
  async after(sources: readonly Source[]): Promise<number | null> {
    let least: number | null = null;
    for (const source of sources) {
      if (typeof source !== 'string' && !(source instanceof URL)) continue;
      const stats = await stat(pathOfSource(source), { bigint: true }).catch(() => null);
      const entry = stats?.isFile() === true ? this.#checkpoint.get(this.#key(identityOfFile(stats), 0)) : null;
      if (entry === null || entry.sequence === null || entry.position === Number(stats!.size)) continue;
      least = Math.min(least ?? entry.sequence, entry.sequence);
    }
    return least;
  }

  /** Where to begin in a source that has been opened, and what will remember how far it is. */
  async begin(source: Source, opened: ByteSource | ObjectSource): Promise<SourceProgress> {
    const path = typeof source === 'string' || source instanceof URL ? pathOfSource(source) : null;
    if (path === null || isStdinName(path) || opened.kind !== 'bytes' || opened.bytesTotal === null) {
      throw new MillraceError(
        'MILLRACE_USAGE',
        `checkpoint: ${opened.name} cannot be resumed, only regular files can; use checkpoint off`,
        { context: { option: 'checkpoint', file: opened.name } },
      );
    }
    const file = await FileSource.open(path);
    if (file.identity !== opened.identity) {
      await file.close();
      throw new MillraceError('MILLRACE_SOURCE_CHANGED', `${path} was replaced while it was opened`, {
        retryable: true,
        context: { file: path },
      });
    }
    const occurrence = this.#named.get(file.identity) ?? 0;
    this.#named.set(file.identity, occurrence + 1);
    const key = this.#key(file.identity, occurrence);
    const { compressed } = opened;
    const start = await resumePoint(this.#checkpoint.get(key), {
      identity: file.identity,
      bytesTotal: file.bytesTotal,
      compressed,
      hashBefore: (position) => file.hashBefore(position),
    });
    const change = CHANGES[start.reason];
    if (change !== null)
      this.#parts.signals.emit('warning', `${path} ${change} when the checkpoint was made; it is read from its start, as a new source`);
    const progress = new SourceProgress({
      key,
      file,
      compressed,
      start,
      lastSequence: () => (this.#parts.broker.readBack === undefined ? null : this.#outbound.lastSequence),
    });
    this.#open.add(progress);
    return progress;
  }

  /** Before the first publish of a source: should this process be killed at once, the next one knows where to look for what was stored. */
  async begun(progress: SourceProgress): Promise<void> {
    await this.#saving;
    progress.begun();
    this.#saveSoon();
    await this.#saving;
  }

  /** The last word; everything has settled or was given up. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    try {
      await this.#saving;
      await this.#save();
    } finally {
      await Promise.all([...this.#open].map((progress) => progress.close()));
      await this.#checkpoint.close();
    }
  }

  #key(identity: string, occurrence: number): string {
    return `${identity}${occurrence === 0 ? '' : `#${occurrence + 1}`} to ${this.#parts.options.url}`;
  }

  #saveSoon(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#saving = this.#save().then(
      () => {
        this.#warned = this.#busy = false;
      },
      (error: unknown) => {
        if (!this.#warned) this.#parts.signals.emit('warning', `the checkpoint could not be saved, it is tried again: ${messageOf(error)}`);
        this.#warned = true;
        this.#busy = false;
      },
    );
  }

  async #save(): Promise<void> {
    const { refusals } = this.#parts;
    const done = [...this.#open].filter((progress) => progress.done);
    const entries: [SourceProgress, CheckpointEntry][] = [];
    for (const progress of this.#open) {
      const entry = await progress.entry();
      if (entry !== null) entries.push([progress, entry]);
    }
    if (entries.length > 0) await refusals.flush(); // What a position passes over is stored, or a dead letter on disk.
    for (const [progress, entry] of entries) this.#checkpoint.set(progress.key, entry);
    await this.#checkpoint.save();
    for (const [progress, entry] of entries) progress.saved(entry);
    for (const progress of done) {
      this.#open.delete(progress);
      await progress.close();
    }
  }
}
