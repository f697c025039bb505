/** Loads the WebAssembly kernel where it can run, checks it against the TypeScript transcoder once, and hands it pipelines. Without it all works, slower. */
import {
  KERNEL_HASH_START,
  KERNEL_KEYS_BYTES_MAX,
  KERNEL_KEYS_START,
  KERNEL_ROWS_START,
  KernelId,
  KernelStop,
  KernelWord,
  PICKS_MAX,
  READ_BEYOND,
  ROW_WORDS,
  ROWS_MAX,
  RowWord,
  TRIE_EDGE_WORDS,
  TRIE_EDGES_MAX,
} from './kernel-layout.ts';
import { JsonTranscoder } from '../src/codec/json-transcoder.ts';
import type { FieldPath } from '../src/codec/record-encoder.ts';
import { scratchStart } from '../src/memory/layout.ts';
import type { Ring } from '../src/memory/ring.ts';

interface KernelExports {
  run(state: number, inEnd: number, outEnd: number, rows: number, rowsMax: number): number;
  hashBatch(subject: number, subjectEnd: number, count: number, first: number, after: number, scratch: number, out: number): void;
  take(state: number, rows: number, from: number, count: number): number;
  remember(state: number, row: number, subject: number): void;
  fingerprint(key: number, start: number, end: number, out: number): void;
}

interface WebAssemblyGlobal {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: KernelExports };
}

export interface KernelOptions {
  /** A KernelId: where the event's id comes from. */
  readonly id: number;
  /** Secret of the window's fingerprints; null = no window, and no hashes. */
  readonly key: Uint32Array | null;
}

const NO_PICK = 0xffff_ffff;
const SAMPLE =
  '{"id":"a-1","n":-12.5,"deep":{"list":[1,2,300,70000,true,null],"text":"caf\\u00e9 \\"x\\" plain enough for two chunks"},"big":1732500000123}\n';

export class Kernel {
  readonly rowsStart: number;
  readonly stateStart: number;
  readonly #ring: Ring;
  readonly #exports: KernelExports;
  #version = -1;

  private constructor(ring: Ring, slot: number, exports: KernelExports) {
    this.#ring = ring;
    this.#exports = exports;
    this.stateStart = scratchStart(ring.layout, slot) + ring.layout.kernelStart;
    this.rowsStart = this.stateStart + KERNEL_ROWS_START;
  }

  /** Null where there is no module, no WebAssembly or no SIMD, or the check fails. */
  static load(ring: Ring, slot: number, module: Uint8Array | null): Kernel | null {
    const { WebAssembly } = globalThis as unknown as { readonly WebAssembly?: WebAssemblyGlobal };
    if (WebAssembly === undefined || module === null) return null;
    try {
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory: ring.memory } });
      const kernel = new Kernel(ring, slot, exports);
      return kernel.#isSound(scratchStart(ring.layout, slot)) ? kernel : null;
    } catch {
      return null; // No SIMD or no threads in this engine.
    }
  }

  /** Aims the kernel at a pipeline's picks. `version` tells one pipeline from another; false = its paths are not for the kernel. */
  aim(version: number, paths: readonly FieldPath[], options: KernelOptions): boolean {
    if (this.#version === version) return true;
    const edges = edgesOf(paths);
    if (edges === null) return false;
    const { bytes, words } = this.#ring;
    const at = this.stateStart / 4;
    let keyAt = KERNEL_KEYS_START;
    for (const [index, { parent, key, child, pick }] of edges.entries()) {
      words.set([parent, keyAt, key.length, child, pick], at + KernelWord.trie + index * TRIE_EDGE_WORDS);
      bytes.set(key, this.stateStart + keyAt);
      keyAt += key.length;
    }
    words[at + KernelWord.trieCount] = edges.length;
    words[at + KernelWord.picks] = paths.length;
    words[at + KernelWord.idRule] = options.id;
    words[at + KernelWord.windowed] = options.key === null ? 0 : 1;
    words[at + KernelWord.shapes] = 0;
    if (options.key !== null) words.set(options.key, at + KernelWord.key);
    this.#version = version;
    return true;
  }

  /** Takes records from `from` on; rows, `next` and `out` say how far it came. Returns a KernelStop. */
  run(from: number, inEnd: number, outStart: number, outEnd: number): number {
    const { words } = this.#ring;
    const at = this.stateStart / 4;
    words[at + KernelWord.in] = from;
    words[at + KernelWord.out] = outStart;
    words[at + KernelWord.rows] = 0;
    if (inEnd + READ_BEYOND > this.#ring.layout.bytes) return KernelStop.slow; // No slab ends so near the end of the memory.
    return this.#exports.run(this.stateStart, inEnd, outEnd, this.rowsStart, ROWS_MAX);
  }

  /** Takes encoded rows as events: PlainTaker has set the words for it. Returns the first that it left. */
  take(from: number, rows: number): number {
    return this.#exports.take(this.stateStart, this.rowsStart, from, rows);
  }

  /** The subject that the values of a row make. */
  remember(row: number, subject: number): void {
    this.#exports.remember(this.stateStart, this.rowsStart + row * ROW_WORDS * 4, subject);
  }

  /** Where texts of ids go that do not lie in their events, and the end of their room. A run moves the start. */
  setTexts(start: number, end: number): void {
    const { words } = this.#ring;
    words[this.stateStart / 4 + KernelWord.text] = start;
    words[this.stateStart / 4 + KernelWord.textEnd] = end;
  }

  get textAt(): number {
    return this.#ring.words[this.stateStart / 4 + KernelWord.text]! >>> 0;
  }

  get rows(): number {
    return this.#ring.words[this.stateStart / 4 + KernelWord.rows]!;
  }

  get next(): number {
    return this.#ring.words[this.stateStart / 4 + KernelWord.in]! >>> 0;
  }

  get out(): number {
    return this.#ring.words[this.stateStart / 4 + KernelWord.out]! >>> 0;
  }

  get lines(): number {
    return this.#ring.words[this.stateStart / 4 + KernelWord.lines]!;
  }

  set lines(lines: number) {
    this.#ring.words[this.stateStart / 4 + KernelWord.lines] = lines;
  }

  /** The batch id's 16 bytes; returns their absolute start. */
  hashBatch(subject: number, subjectEnd: number, count: number, rows: { readonly first: number; readonly after: number }): number {
    const scratch = this.stateStart + KERNEL_HASH_START;
    this.#exports.hashBatch(subject, subjectEnd, count, rows.first, rows.after, scratch, scratch + 24);
    return scratch + 24;
  }

  /** A kernel that was built wrong, or runs on a broken engine, must not be believed. */
  #isSound(scratch: number): boolean {
    const { bytes, words } = this.#ring;
    const sample = Buffer.from(SAMPLE);
    const [input, output] = [scratch, scratch + 4_096];
    bytes.set(sample, input);
    if (!this.aim(0, [['id'], ['deep', 'text']], { id: KernelId.none, key: null })) return false;
    for (let round = 0; round < 2; round += 1) {
      // The second time by speculation.
      this.lines = 0;
      if (this.run(input, input + sample.length, output, output + 16_384) !== KernelStop.end || this.rows !== 1) return false;
      const transcoder = new JsonTranscoder([['id'], ['deep', 'text']]);
      const expected = new Uint8Array(1_024);
      const end = transcoder.encode(sample, 0, sample.length - 1, expected, 0, expected.length);
      const row = this.rowsStart / 4;
      if (Buffer.compare(expected.subarray(0, end), bytes.slice(output, words[row + RowWord.outEnd]! >>> 0)) !== 0) return false;
      if (
        words[row + RowWord.picks + 2]! - output !== transcoder.pickStart[1] ||
        words[row + RowWord.picks + 3]! - output !== transcoder.pickEnd[1]
      )
        return false;
    }
    this.#version = -1;
    return true;
  }
}

interface Edge {
  readonly parent: number;
  readonly key: Uint8Array;
  readonly child: number;
  readonly pick: number;
}

/** The tree of picked paths as edges. Two picks at one place, or one inside another, are not for the kernel. */
function edgesOf(paths: readonly FieldPath[]): readonly Edge[] | null {
  const edges: Edge[] = [];
  let nodes = 1;
  if (paths.length > PICKS_MAX) return null;
  for (const [pick, path] of paths.entries()) {
    let parent = 0;
    for (const [depth, token] of path.entries()) {
      if (/^\d+$/.test(token)) return null; // It may be an index.
      const key = Buffer.from(token);
      const last = depth === path.length - 1;
      const known = edges.find((edge) => edge.parent === parent && Buffer.compare(edge.key, key) === 0);
      if (known !== undefined && (last || known.pick >= 0)) return null;
      if (known !== undefined) {
        parent = known.child;
        continue;
      }
      edges.push({ parent, key, child: last ? NO_PICK : nodes, pick: last ? pick : -1 });
      parent = nodes;
      if (!last) nodes += 1;
    }
  }
  const keyBytes = edges.reduce((sum, { key }) => sum + key.length, 0);
  return edges.length <= TRIE_EDGES_MAX && keyBytes <= KERNEL_KEYS_BYTES_MAX && paths.every((path) => path.length > 0) ? edges : null;
}
