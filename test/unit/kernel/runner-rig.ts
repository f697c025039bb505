/** Runs slabs through a SlabRunner as main would, to the end, and reads back all that main would see. */
import { strict as assert } from 'node:assert';
import { reasonOf } from '../../../src/api/reject-reasons.ts';
import {
  BATCH_WORDS,
  BatchWord,
  CLAIM_WORDS,
  REJECT_WORDS,
  RejectWord,
  SlabForm,
  SlabWord,
  TENTATIVE_WORDS,
} from '../../../src/memory/layout.ts';
import { PipelineTable } from '../../../src/memory/pipeline.ts';
import type { PipelineDescription } from '../../../src/memory/pipeline.ts';
import { Ring } from '../../../src/memory/ring.ts';
import { DedupeWindow, windowBytes } from '../../../src/memory/window.ts';
import { SlabRunner } from '../../../workers/runner.ts';

const CAPACITY = 4_096;
const KEY = Uint32Array.of(1, 2, 3, 4);

export const DESCRIPTION: PipelineDescription = {
  format: 'ndjson',
  csvHeader: null,
  subject: 'events',
  id: '/id',
  framing: 'batch',
  batchBytes: 262_144,
  batchEvents: 65_536,
  eventBytesMax: 65_536,
  transform: null,
  schema: null,
  messageIds: true,
  headers: null,
  source: 'source',
  file: null,
  windowed: true,
  nonce: 'nonce',
};

/** What one slab came to, over all of its runs. */
export interface Outcome {
  runs: number;
  lines: number;
  records: number;
  readonly sums: Record<string, number>;
  readonly batches: unknown[];
  readonly rejects: unknown[];
  readonly claims: number[];
  readonly tentatives: unknown[];
}

const SUMS = ['events', 'dropped', 'duplicates', 'tentatives', 'conflicts', 'rejects', 'batches', 'claims'] as const;

export class RunnerRig {
  readonly ring: Ring;
  readonly #runner: SlabRunner;
  readonly #table: PipelineTable;
  readonly #messageBytesMax: number;

  constructor(
    module: Uint8Array | null,
    { slabBytes = 65_536, messageBytesMax = 1_048_576 }: { readonly slabBytes?: number; readonly messageBytesMax?: number } = {},
  ) {
    this.ring = Ring.create({ slabs: 2, slabBytes, workers: 1, eventBytesMax: 262_144, windowBytes: windowBytes(CAPACITY) });
    const window = new DedupeWindow(this.ring, CAPACITY);
    window.format({ windowMs: 60_000, nowMs: 0 });
    window.key.set(KEY); // The slots of claims are the same with the same key.
    this.#runner = new SlabRunner(this.ring, 0, window, module);
    this.#table = new PipelineTable(this.ring);
    this.#messageBytesMax = messageBytesMax;
  }

  /** Slabs of one source, one after the other; `settle` = all before it has settled, so that its ids are known and not pending. */
  run(
    description: PipelineDescription,
    slabs: readonly { readonly text: string | Uint8Array; readonly settle: boolean }[],
  ): readonly Outcome[] {
    const { slot, version } = this.#table.open(description);
    let offset = 0;
    const outcomes = slabs.map(({ text, settle }) => {
      const bytes = typeof text === 'string' ? Buffer.from(text) : text;
      if (settle) this.ring.settleBelow(this.ring.nextSequence);
      const outcome = this.#runSlab(bytes, { slot, version, offset });
      offset += bytes.length;
      return outcome;
    });
    this.#table.close(slot);
    return outcomes;
  }

  #runSlab(bytes: Uint8Array, place: { readonly slot: number; readonly version: number; readonly offset: number }): Outcome {
    const { ring } = this;
    const slab = bytes.length > ring.layout.slab.inBytes ? ring.claimJumbo() : ring.claim();
    const { inStart } = ring.shape(slab);
    const outcome: Outcome = {
      runs: 0,
      lines: 0,
      records: 0,
      sums: Object.fromEntries(SUMS.map((name) => [name, 0])),
      batches: [],
      rejects: [],
      claims: [],
      tentatives: [],
    };
    ring.bytes.set(bytes, ring.start(slab) + inStart);
    const words = {
      form: SlabForm.bytes,
      inBytes: bytes.length,
      inFrom: 0,
      recordFrom: 0,
      pipeline: place.slot,
      pipelineVersion: place.version,
      offsetLow: place.offset,
      offsetHigh: 0,
      recordsLimit: 0,
      run: 0,
      retake: 0,
      messageBytesMax: this.#messageBytesMax,
    };
    for (const [name, value] of Object.entries(words)) ring.set(slab, SlabWord[name as keyof typeof words], value);
    ring.dispatch(slab);
    for (;;) {
      assert.equal(this.#runner.prepare(slab), null);
      ring.begin(slab);
      this.#runner.run(slab);
      this.#collect(slab, outcome);
      ring.commit(slab);
      if (ring.get(slab, SlabWord.stopped) === 0) break;
      const done = ring.get(slab, SlabWord.inDone);
      assert.ok(ring.get(slab, SlabWord.recordsDone) > ring.get(slab, SlabWord.recordFrom), 'a run that takes nothing goes on for ever');
      ring.set(slab, SlabWord.inFrom, done);
      ring.set(slab, SlabWord.recordFrom, ring.get(slab, SlabWord.recordsDone));
      ring.set(slab, SlabWord.run, ring.get(slab, SlabWord.run) + 1);
      ring.resume(slab);
    }
    ring.release(slab);
    return outcome;
  }

  #collect(slab: number, outcome: Outcome): void {
    const { ring } = this;
    const { words } = ring;
    const shape = ring.shape(slab);
    const rows = (start: number, count: number, width: number): Int32Array[] =>
      Array.from({ length: count }, (_, row) =>
        words.subarray((ring.start(slab) + start) / 4 + row * width, (ring.start(slab) + start) / 4 + (row + 1) * width),
      );
    const text = (start: number, end: number): string => Buffer.from(ring.bytes.slice(start, end)).toString('latin1');
    for (const row of rows(shape.batchStart, ring.get(slab, SlabWord.batches), BATCH_WORDS)) {
      const at = (word: keyof typeof BatchWord): number => row[BatchWord[word]]!;
      const subject = text(at('subjectStart'), at('subjectStart') + at('subjectBytes'));
      outcome.batches.push({
        subject,
        headers: text(at('start'), at('payloadStart')),
        payload: text(at('payloadStart'), at('end')),
        count: at('count'),
        records: [at('firstRecord'), at('lastRecord')],
      });
    }
    for (const row of rows(shape.rejectStart, ring.get(slab, SlabWord.rejects), REJECT_WORDS)) {
      const at = (word: keyof typeof RejectWord): number => row[RejectWord[word]]!;
      outcome.rejects.push({
        record: at('record'),
        place: [at('start'), at('end'), at('at')],
        line: at('line') + outcome.lines,
        reason: reasonOf(at('reason')),
        text: text(at('textStart'), at('textStart') + at('textBytes')),
      });
    }
    for (const row of rows(shape.claimStart, ring.get(slab, SlabWord.claims), CLAIM_WORDS)) outcome.claims.push(...row);
    for (const row of rows(shape.tentativeStart, ring.get(slab, SlabWord.tentatives), TENTATIVE_WORDS)) {
      outcome.tentatives.push([row[0], row[1]! - ring.start(slab), row[2]! - ring.start(slab), row[3], row[4]]);
    }
    for (const name of SUMS) outcome.sums[name]! += ring.get(slab, SlabWord[name]);
    outcome.lines += ring.get(slab, SlabWord.lines);
    outcome.records = ring.get(slab, SlabWord.recordsDone);
    outcome.runs += 1;
  }
}
