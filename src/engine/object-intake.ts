/** A source of objects: each is packed once, straight into the open slab, and goes through the same stages as bytes. */
import type { IntakeParts } from './byte-intake.ts';
import type { FrameFiller, FrameIntake } from './frame-filler.ts';
import type { IngestJob } from './ingest-job.ts';
import type { ObjectSource } from './source-types.ts';
import { packEvent } from '../codec/msgpack.ts';
import { MillraceError } from '../api/errors.ts';
import type { PipelineDescription } from '../memory/pipeline.ts';

const NO_BYTES = new Uint8Array(0);

export class ObjectIntake implements FrameIntake {
  readonly book: IngestJob['book'];
  readonly pipelineSlot: number;
  readonly pipelineVersion: number;
  readonly userCode: boolean;
  readonly strict: boolean;
  readonly deadLetters: string;
  readonly file = null;
  lines = 0;
  filler: FrameFiller | null = null;
  readonly #parts: IntakeParts;
  #open = 0;
  #filling = true;

  constructor(parts: IntakeParts, description: PipelineDescription) {
    this.#parts = parts;
    this.book = parts.job.book;
    this.userCode = description.transform !== null || description.schema !== null;
    this.strict = parts.job.strict;
    this.deadLetters = parts.job.deadLetters;
    const { slot, version } = parts.pipelines.open(description);
    this.pipelineSlot = slot;
    this.pipelineVersion = version;
  }

  get stopped(): boolean {
    return this.#parts.job.stopped;
  }

  async take(source: ObjectSource): Promise<void> {
    const { job, outbound, parts } = this.#parts;
    while (!job.ended) {
      const { done, value } = await source.next();
      if (done) return;
      job.recordsLeft -= 1;
      const payload = this.#pack(value, source.name);
      if (payload === null) continue;
      job.bytesIn += payload.length;
      if (job.paced) await job.pace();
      while (!this.filler!.tryAppend({ subject: NO_BYTES, id: NO_BYTES, headers: NO_BYTES, payload }, undefined)) {
        if (job.stopped || outbound.closed) return;
        await parts.refusals.whenRoom(() => job.ended || outbound.closed);
        await outbound.whenReleased();
      }
    }
  }

  dispatched(): void {
    this.#open += 1;
    this.#parts.job.dispatched();
  }

  released(): void {
    this.#open -= 1;
    this.filler?.released();
    this.#parts.job.released();
    this.#closeWhenDone();
  }

  filled(): void {
    this.#filling = false;
    this.#closeWhenDone();
  }

  fail(error: MillraceError): void {
    this.#parts.job.fail(error);
  }

  /** What cannot be packed, or is larger than `maxEventBytes`, is refused like a bad record. */
  #pack(value: unknown, name: string): Uint8Array | null {
    const { parts, job } = this.#parts;
    try {
      const payload = packEvent(value);
      if (payload.length <= job.resolved.maxEventBytes) return payload;
      throw new MillraceError('MILLRACE_EVENT_TOO_LARGE', `${payload.length} B > ${job.resolved.maxEventBytes} B (maxEventBytes)`);
    } catch (thrown) {
      const error =
        thrown instanceof MillraceError ? thrown : new MillraceError('MILLRACE_EVENT_INVALID', String(thrown), { cause: thrown });
      this.book.add('accepted', 1);
      this.book.add('rejected', 1);
      const reason = error.code === 'MILLRACE_EVENT_TOO_LARGE' ? 'too_large' : 'transform';
      parts.refusals.refuse(
        {
          reason,
          message: error.message,
          error,
          subject: null,
          file: name,
          line: 0,
          byteOffset: 0,
          byteEnd: 0,
          raw: NO_BYTES,
          encoding: 'msgpack',
          attempts: 1,
        },
        this,
      );
      return null;
    }
  }

  #closeWhenDone(): void {
    if (!this.#filling && this.#open === 0) this.#parts.pipelines.close(this.pipelineSlot);
  }
}
