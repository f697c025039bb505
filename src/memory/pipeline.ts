/** The description of what workers do with a source, as JSON in shared memory, so that a task is nothing but a slab number. */
import type { Framing, Headers, ModuleReference } from '../api/event.ts';
import type { Format, IdRule } from '../api/options.ts';
import { MillraceError } from '../api/errors.ts';
import { PIPELINE_BYTES, PIPELINES_MAX } from './layout.ts';
import type { Ring } from './ring.ts';

export interface PipelineDescription {
  readonly format: Format;
  readonly csvHeader: readonly string[] | null;
  /** Subject template, used where a record brings no subject of its own. */
  readonly subject: string;
  readonly id: IdRule;
  readonly framing: Framing;
  readonly batchBytes: number;
  readonly batchEvents: number;
  readonly eventBytesMax: number;
  readonly transform: ModuleReference | null;
  readonly schema: ModuleReference | null;
  /** The broker takes message ids (`Nats-Msg-Id`). */
  readonly messageIds: boolean;
  /** A message of one event without an id gets one, so that it is safe to publish again. Absent = yes. */
  readonly madeIds?: boolean;
  readonly headers: Headers | null;
  /** Identity of the source, for ids by position. */
  readonly source: string;
  /** Messages of one event tell their stretch of the source too: this processor reads it back after a restart. */
  readonly rangeOfEach?: boolean;
  /** Path of the source, for the transform's context; null when it has none. */
  readonly file: string | null;
  /** Ids go through the shared window. */
  readonly windowed: boolean;
  /** First part of message ids made by this process; the rest is a counter. */
  readonly nonce: string;
}

/** Main: the table of pipelines in use. A slot is freed when its last slab has settled. */
export class PipelineTable {
  readonly #ring: Ring;
  readonly #free: number[] = Array.from({ length: PIPELINES_MAX }, (_, slot) => PIPELINES_MAX - 1 - slot);
  #version = 0;

  constructor(ring: Ring) {
    this.#ring = ring;
  }

  /** Writes the description; workers see it with the first slab that names slot and version. */
  open(description: PipelineDescription): { readonly slot: number; readonly version: number } {
    const text = Buffer.from(JSON.stringify(description));
    if (text.length + 4 > PIPELINE_BYTES) {
      throw new MillraceError(
        'MILLRACE_USAGE',
        `description of the pipeline: ${text.length} B > ${PIPELINE_BYTES - 4} B; use fewer headers or CSV columns`,
      );
    }
    const slot = this.#free.pop();
    if (slot === undefined) throw new MillraceError('MILLRACE_FULL', `${PIPELINES_MAX} sources are open at once`, { retryable: true });
    const start = this.#ring.layout.pipelinesStart + slot * PIPELINE_BYTES;
    this.#ring.words[start / 4] = text.length;
    this.#ring.bytes.set(text, start + 4);
    this.#version = (this.#version + 1) | 0;
    return { slot, version: this.#version };
  }

  close(slot: number): void {
    this.#free.push(slot);
  }
}

/** Worker: reads what `open` wrote; ordered by the message that named the slab. */
export function readPipeline(ring: Ring, slot: number): PipelineDescription {
  const start = ring.layout.pipelinesStart + slot * PIPELINE_BYTES;
  const text = Buffer.from(ring.bytes.slice(start + 4, start + 4 + ring.words[start / 4]!)).toString();
  return JSON.parse(text) as PipelineDescription;
}
