/** Drives the kernel over a ring as a worker does and holds every row it returns, and every byte around it, to the TypeScript stages. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { hash128, hashHex, PUBLIC_KEY } from '../../../src/codec/hash.ts';
import { JsonTranscoder } from '../../../src/codec/json-transcoder.ts';
import type { FieldPath } from '../../../src/codec/record-encoder.ts';
import { scalarText } from '../../../src/codec/scalar-text.ts';
import { createSplitter } from '../../../src/codec/splitter.ts';
import { scratchStart } from '../../../src/memory/layout.ts';
import { Ring } from '../../../src/memory/ring.ts';
import { bodyHash } from '../../../workers/body-hash.ts';
import { Kernel } from '../../../workers/kernel-host.ts';
import { KernelId, KernelStop, OUT_BEYOND, OUT_PER_IN, ROW_WORDS, ROWS_MAX, RowWord } from '../../../workers/kernel-layout.ts';

/** The build must have made it: without the kernel all works, and no test would notice. */
export const kernelModule: Uint8Array = readFileSync(new URL('../../../workers/kernel.wasm', import.meta.url));

const MIB = 1_048_576;
const CANARY = 0xa5;
const MARGIN = 256;
/** For ids of a run: so few that some runs fill it. */
const TEXTS_BYTES = 2_048;
const KEY = Uint32Array.of(0x0123_4567, 0x89ab_cdef, 0xfedc_ba98, 0x7654_3210);
/** Lies behind every run: reading into it would make sense. */
export const STALE: string = '"}]}\n{"a":1,"b":[2,3],"c":"text"}\n,"d":"e"}]}\n:0000000000000000e0000000}'.repeat(40);

/** A record as the TypeScript stages see it; `bytes` null = refused. */
export interface Expected {
  readonly start: number;
  readonly next: number;
  readonly line: number;
  readonly bytes: Uint8Array | null;
  readonly picks: readonly (readonly [start: number, end: number])[];
}

export function expect(input: Uint8Array, paths: readonly FieldPath[] = []): readonly Expected[] {
  const splitter = createSplitter('ndjson');
  const transcoder = new JsonTranscoder(paths);
  const records: Expected[] = [];
  for (let at = 0; ;) {
    const next = splitter.next(input, at, input.length);
    if (next < 0) return records;
    const { recordStart: start, recordEnd, recordLine: line } = splitter;
    const output = new Uint8Array(5 * (recordEnd - start) + 16);
    const end = transcoder.encode(input, start, recordEnd, output, 0, output.length);
    const picks = Array.from(transcoder.pickStart, (from, pick) => [from, transcoder.pickEnd[pick]!] as const);
    records.push({ start, next, line, bytes: end < 0 ? null : output.subarray(0, end), picks });
    at = next;
  }
}

export interface RunOptions {
  readonly stale?: string | Uint8Array;
  /** Ends the run at the last byte that the ring lets a slab have. */
  readonly records?: readonly Expected[];
}

export class KernelRig {
  /** Rows so far that the kernel gave an id and its hashes. */
  identified = 0;
  readonly ring: Ring;
  readonly kernel: Kernel;
  readonly #in: number;
  readonly #out: number;
  readonly #outRoom: number;
  readonly #texts: number;
  #version = 0;
  #paths: readonly FieldPath[] = [];
  #id: number = KernelId.none;

  constructor({ module = kernelModule, slabBytes = MIB }: { readonly module?: Uint8Array; readonly slabBytes?: number } = {}) {
    this.ring = Ring.create({ slabs: 2, slabBytes, workers: 1, eventBytesMax: 4 * MIB, windowBytes: 0 });
    const kernel = Kernel.load(this.ring, 0, module);
    assert.ok(kernel !== null, 'the kernel refuses itself');
    this.kernel = kernel;
    this.#in = this.ring.start(0) + this.ring.shape(0).inStart;
    this.#out = scratchStart(this.ring.layout, 0) + MARGIN;
    this.#texts = scratchStart(this.ring.layout, 0) + this.ring.layout.idStart;
    this.#outRoom = this.ring.layout.idStart - 2 * MARGIN;
    this.aim([]);
  }

  /** Other picks, and nothing remembered of the records before. */
  aim(paths: readonly FieldPath[], id: number = paths.length > 0 ? KernelId.field : KernelId.none): boolean {
    this.#version += 1;
    this.#paths = paths;
    this.#id = id;
    return this.kernel.aim(this.#version, paths, { id, key: KEY });
  }

  /** Takes a whole run, stepping over what the kernel leaves as the runner does. Returns how many records the kernel took. */
  take(input: Uint8Array, { stale = STALE, records = expect(input, this.#paths) }: RunOptions = {}): number {
    const { bytes } = this.ring;
    const room = OUT_PER_IN * input.length + OUT_BEYOND;
    assert.ok(room <= this.#outRoom && input.length <= this.ring.shape(0).inBytes, 'too much for the rig');
    bytes.set(input, this.#in);
    bytes.set(typeof stale === 'string' ? Buffer.from(stale) : stale, this.#in + input.length);
    bytes.fill(CANARY, this.#out - MARGIN, this.#out);
    let [at, index, taken] = [0, 0, 0];
    this.kernel.lines = 0;
    while (at <= input.length) {
      const outEnd = this.#out + OUT_PER_IN * (input.length - at) + OUT_BEYOND;
      bytes.fill(CANARY, outEnd, outEnd + MARGIN);
      this.kernel.setTexts(this.#texts, this.#texts + TEXTS_BYTES);
      bytes.fill(CANARY, this.#texts + TEXTS_BYTES, this.#texts + TEXTS_BYTES + MARGIN);
      const stop = this.kernel.run(this.#in + at, this.#in + input.length, this.#out, outEnd);
      const { rows } = this.kernel;
      for (let row = 0; row < rows; row += 1) this.#compare(row, records[index + row], input);
      index += rows;
      taken += rows;
      for (let around = 0; around < MARGIN; around += 1) {
        assert.equal(bytes[outEnd + around], CANARY, `wrote ${around} behind its output`);
        assert.equal(bytes[this.#texts + TEXTS_BYTES + around], CANARY, `wrote ${around} behind its texts`);
        assert.equal(bytes[this.#out - MARGIN + around], CANARY, 'wrote before its output');
      }
      at = this.kernel.next - this.#in;
      if (stop === KernelStop.end) break;
      if (stop === KernelStop.rows) {
        assert.equal(rows, ROWS_MAX);
        continue;
      }
      const left = records[index];
      assert.ok(left !== undefined, 'left what is no record');
      assert.equal(at, left.start, 'start of the record that is left');
      assert.equal(this.kernel.lines, left.line, 'its line');
      index += 1;
      at = left.next;
      this.kernel.lines = left.line + (input[at - 1] === 10 ? 1 : 0);
    }
    assert.equal(index, records.length, 'records');
    assert.equal(this.kernel.lines, input.filter((byte) => byte === 10).length, 'lines');
    assert.equal(Buffer.compare(bytes.slice(this.#in, this.#in + input.length), input), 0, 'the input changed');
    return taken;
  }

  /** True when the kernel takes this one record. */
  takes(record: string | Uint8Array): boolean {
    const input = typeof record === 'string' ? Buffer.from(record) : record;
    return this.take(input) === 1;
  }

  #compare(row: number, record: Expected | undefined, input: Uint8Array): void {
    const { bytes, words } = this.ring;
    const at = this.kernel.rowsStart / 4 + row * ROW_WORDS;
    const word = (index: number): number => words[at + index]!;
    const text = (): string => JSON.stringify(Buffer.from(input.subarray(record?.start, record?.next)).toString().slice(0, 500));
    assert.ok(record !== undefined, 'more rows than records');
    assert.ok(record.bytes !== null, `took ${text()}, which must be refused`);
    assert.deepEqual(
      [word(RowWord.start) - this.#in, word(RowWord.next) - this.#in, word(RowWord.line)],
      [record.start, record.next, record.line],
      text(),
    );
    const [start, end] = [word(RowWord.outStart), word(RowWord.outEnd)];
    const encoded = bytes.subarray(start, end);
    if (Buffer.compare(encoded, record.bytes) !== 0)
      assert.equal(Buffer.from(encoded).toString('hex'), Buffer.from(record.bytes).toString('hex'), text());
    for (const [pick, [from, to]] of record.picks.entries()) {
      const found = [word(RowWord.picks + 2 * pick), word(RowWord.picks + 2 * pick + 1)];
      if (from < 0) assert.equal(found[0], -1, `pick ${pick} of ${text()}`);
      else assert.deepEqual(found, [start + from, start + to], `pick ${pick} of ${text()}`);
    }
    if (word(RowWord.idStart) === 0) return;
    this.identified += 1;
    this.#compareHashes(at, record);
  }

  #compareHashes(at: number, { bytes: body, picks }: Expected): void {
    const { bytes, words } = this.ring;
    const [idStart, idEnd] = [words[at + RowWord.idStart]!, words[at + RowWord.idEnd]!];
    const print = new Uint32Array(4);
    const text = new Uint8Array(512);
    let textEnd = 32;
    if (this.#id === KernelId.field) textEnd = scalarText(body!, picks[0]![0], picks[0]![1], text, 0, text.length);
    else {
      hash128(body!, 0, body!.length, PUBLIC_KEY, print);
      hashHex(print, text, 0);
    }
    assert.equal(Buffer.from(bytes.slice(idStart, idEnd)).toString(), Buffer.from(text.subarray(0, textEnd)).toString(), 'id');
    hash128(bytes, idStart, idEnd, KEY, print);
    assert.deepEqual(
      [...words.subarray(at + RowWord.print, at + RowWord.print + 4)].map((word) => word >>> 0),
      [...print],
      'fingerprint',
    );
    const view = new DataView(body!.buffer, body!.byteOffset);
    assert.equal(words[at + RowWord.body], bodyHash(view, 0, body!.length), 'body hash');
  }
}
