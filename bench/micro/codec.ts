/** Micro benches of what makes bytes from bytes: transcoder, all worker stages, splitting, msgpack, hashing; each beside a rival. */
import { createHash } from 'node:crypto';
import { pack, unpack } from 'msgpackr';
import { generateChunks } from '../../src/cli/generator.ts';
import { hash128, PUBLIC_KEY } from '../../src/codec/hash.ts';
import { JsonTranscoder } from '../../src/codec/json-transcoder.ts';
import { packEvent, unpackValue } from '../../src/codec/msgpack.ts';
import { createSplitter } from '../../src/codec/splitter.ts';
import { PrivateStages, SLAB_BYTES } from '../rivals/private-stages.ts';
import type { MicroSetup, MicroTask, MicroTasks } from './task.ts';
import { must } from './task.ts';

const LINES = 1_000;

interface Sample {
  readonly text: string;
  readonly bytes: Buffer;
  readonly lines: readonly string[];
  readonly starts: readonly number[];
  readonly events: readonly object[];
}

function sample({ seed }: MicroSetup): Sample {
  const text = [...generateChunks({ count: LINES, seed })].join('');
  const lines = text.trimEnd().split('\n');
  const starts = [0];
  for (const line of lines) starts.push(starts.at(-1)! + line.length + 1);
  return { text, bytes: Buffer.from(text), lines, starts, events: lines.map((line) => JSON.parse(line) as object) };
}

/** Shared memory on both sides, as in the pipeline. */
function transcoder(setup: MicroSetup): MicroTask {
  const { bytes, starts, events } = sample(setup);
  const input = new Uint8Array(new SharedArrayBuffer(bytes.length));
  input.set(bytes);
  const output = new Uint8Array(new SharedArrayBuffer(bytes.length * 3));
  const encoder = new JsonTranscoder([['id']]);
  const step = (): number => {
    let out = 0;
    for (let line = 0; line < LINES; line += 1)
      out = encoder.encode(input, starts[line]!, starts[line + 1]! - 1, output, out, output.length);
    return out;
  };
  const check = (): string => {
    const end = encoder.encode(input, 0, starts[1]! - 1, output, 0, output.length);
    must(JSON.stringify(unpack(output.slice(0, end))) === JSON.stringify(events[0]), 'the transcoded event differs');
    return 'decoded by msgpackr, equal to JSON.parse';
  };
  return { opsPerStep: LINES, step, check };
}

function parseAndPack(setup: MicroSetup): MicroTask {
  const { bytes, starts } = sample(setup);
  return {
    opsPerStep: LINES,
    step: () => {
      for (let line = 0; line < LINES; line += 1) pack(JSON.parse(bytes.toString('latin1', starts[line]!, starts[line + 1]! - 1)));
    },
    check: () => 'the reference itself',
  };
}

/** A whole slab through every stage; ids are repeats from the second step on, so without ids. */
function stages(kernel: boolean): (setup: MicroSetup) => MicroTask {
  return (setup) => {
    const { bytes } = sample(setup);
    const chunk = bytes.subarray(0, bytes.lastIndexOf(10, SLAB_BYTES - 1) + 1);
    const runner = new PrivateStages({ id: 'none', kernel });
    const events = runner.count(chunk);
    const check = (): string => {
      const decoded = runner.run(chunk).flatMap(({ payload }) => unpack(payload) as object[]);
      must(
        JSON.stringify(decoded) ===
          JSON.stringify(
            chunk
              .toString()
              .trimEnd()
              .split('\n')
              .map((line) => JSON.parse(line) as object),
          ),
        'the batches differ',
      );
      return 'batches decoded by msgpackr, equal to JSON.parse';
    };
    return { opsPerStep: events, step: () => void runner.count(chunk), check };
  };
}

function parseAndPackArrays(setup: MicroSetup): MicroTask {
  const { bytes } = sample(setup);
  const size = 400;
  return {
    opsPerStep: LINES,
    step: () => {
      const lines = bytes.toString('latin1').split('\n');
      for (let from = 0; from < LINES; from += size)
        pack(lines.slice(from, Math.min(LINES, from + size)).map((line) => JSON.parse(line) as object));
    },
    check: () => 'the reference itself',
  };
}

function splitter(setup: MicroSetup): MicroTask {
  const { bytes } = sample(setup);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  const splits = createSplitter('ndjson');
  const count = (): number => {
    let records = 0;
    for (let at = splits.next(shared, 0, shared.length); at >= 0; at = splits.next(shared, at, shared.length)) records += 1;
    return records;
  };
  return { opsPerStep: LINES, step: () => void count(), check: () => (must(count() === LINES, 'records'), 'records counted') };
}

function splitText(setup: MicroSetup): MicroTask {
  const { bytes } = sample(setup);
  const count = (): number => bytes.toString('latin1').split('\n').length - 1;
  return { opsPerStep: LINES, step: () => void count(), check: () => (must(count() === LINES, 'lines'), 'lines counted') };
}

const overEvents =
  (work: (event: object) => unknown) =>
  (setup: MicroSetup): MicroTask => {
    const { events } = sample(setup);
    const check = (): string => {
      must(JSON.stringify(unpack(packEvent(events[0]))) === JSON.stringify(events[0]), 'packed event');
      return 'decoded by msgpackr, equal';
    };
    return { opsPerStep: LINES, step: () => events.forEach(work), check };
  };

const overBatch =
  (work: (bytes: Uint8Array) => unknown) =>
  (setup: MicroSetup): MicroTask => {
    const { events } = sample(setup);
    const packed = new Uint8Array(pack(events));
    const check = (): string => (
      must(JSON.stringify(work(packed)) === JSON.stringify(events), 'decoded batch'),
      'equal to what was packed'
    );
    return { opsPerStep: LINES, step: () => void work(packed), check };
  };

function hashIds(setup: MicroSetup): MicroTask {
  const { bytes, starts } = sample(setup);
  const out = new Uint32Array(4);
  const step = (): void => {
    for (let line = 0; line < LINES; line += 1) hash128(bytes, starts[line]! + 7, starts[line]! + 19, PUBLIC_KEY, out);
  };
  return { opsPerStep: LINES, step, check: () => 'the unit tests hold it to the published vectors' };
}

function nodeHash(setup: MicroSetup): MicroTask {
  const { bytes, starts } = sample(setup);
  const step = (): void => {
    for (let line = 0; line < LINES; line += 1)
      createHash('md5')
        .update(bytes.subarray(starts[line]! + 7, starts[line]! + 19))
        .digest();
  };
  return { opsPerStep: LINES, step, check: () => 'the reference itself' };
}

export const codecTasks: MicroTasks = {
  transcoder,
  'parse-pack': parseAndPack,
  'stages-kernel': stages(true),
  'stages-typescript': stages(false),
  'parse-pack-arrays': parseAndPackArrays,
  splitter,
  'split-text': splitText,
  'pack-ours': overEvents(packEvent),
  'pack-msgpackr': overEvents((event) => pack(event)),
  'pack-json': overEvents((event) => JSON.stringify(event)),
  'unpack-ours': overBatch(unpackValue),
  'unpack-msgpackr': overBatch((bytes) => unpack(bytes) as unknown),
  'hash-ours': hashIds,
  'hash-node': nodeHash,
};
