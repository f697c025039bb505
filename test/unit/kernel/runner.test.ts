/** A slab run with the kernel and one run without it come to the same: batches to the byte, ids, claims, copies, rejects with their lines. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PipelineDescription } from '../../../src/memory/pipeline.ts';
import { kernelModule } from './kernel-rig.ts';
import { linesText } from './json-texts.ts';
import { DESCRIPTION, RunnerRig } from './runner-rig.ts';

const RunnerSuite = suite('Runner: with the kernel as without');

type Slabs = readonly { readonly text: string; readonly settle: boolean }[];

/** Both run the same slabs in the same order all along, so their windows hold the same. */
class Pair {
  readonly #with: RunnerRig;
  readonly #without: RunnerRig;

  constructor(options: { readonly slabBytes?: number; readonly messageBytesMax?: number } = {}) {
    this.#with = new RunnerRig(kernelModule, options);
    this.#without = new RunnerRig(null, options);
  }

  /** Returns the number of runs that it took. */
  check(change: Partial<PipelineDescription>, slabs: Slabs): number {
    const description = { ...DESCRIPTION, ...change };
    const expected = this.#without.run(description, slabs);
    const found = this.#with.run(description, slabs);
    for (const [index, outcome] of expected.entries()) assert.equal(found[index], outcome, `slab ${index}`);
    return expected.reduce((sum, { runs }) => sum + runs, 0);
  }
}

const pair = new Pair();

const record = fc
  .record({
    id: fc.constantFrom('"a"', '"b"', '"c\\n"', '"dé"', '5', '6.5', '-7', 'true', 'null', '""', '[1]', `"${'i'.repeat(300)}"`, ''),
    fresh: fc.nat(3),
    number: fc.nat(),
    type: fc.constantFrom('"order"', '"user"', '"a b"', '"$x"', '7', 'null', '[]', ''),
    rest: fc.constantFrom(
      '"x":1',
      '"x":[1,2],"y":{"z":"text"}',
      '"x":"é\\t"',
      '"x":12345678901234567890',
      '"x":1,"x":2',
      '"x":',
      `"pad":"${'p'.repeat(500)}"`,
    ),
    space: fc.constantFrom('', '', ' '),
    end: fc.constantFrom('\n', '\n', '\n', '\r\n', '\n\n', ' \n\r\n'),
  })
  .map(({ id, fresh, number, type, rest, space, end }) => {
    const parts = [fresh === 0 ? `"id":${space}${id}` : `"id":${space}"${number}"`, `"type":${space}${type}`, rest];
    return `${space}{${parts.filter((part) => !part.trimEnd().endsWith(':') || part === '"x":').join(`,${space}`)}}${end}`;
  });
const slab = fc.record({
  text: fc.oneof({ weight: 4, arbitrary: fc.array(record, { maxLength: 40 }).map((lines) => lines.join('')) }, linesText),
  settle: fc.boolean(),
});
const slabs = fc.array(slab, { minLength: 1, maxLength: 4 });

const RULES: readonly Partial<PipelineDescription>[] = [
  { id: '/id' }, { id: '/id', subject: 'events.{type}' }, { id: '/id', subject: 'e.{id}' }, { id: '/id', framing: 'each' }, { id: '/id', windowed: false }, { id: '/id', messageIds: false, headers: { X: 'y' } },
  { id: 'hash' }, { id: 'hash', subject: 'events.{type}', framing: 'each' }, { id: 'none' }, { id: 'none', subject: '{type}.x' }, { id: 'offset' }, { id: 'offset', framing: 'each' }, { id: '/y/z', subject: 'events.{type}' },
  { id: '/id', subject: '{type}.{id}.{x}' }, { id: 'none', subject: '{type}.{x}' }, { id: '/id', batchEvents: 3 }, { id: '/id', batchBytes: 100 }, { id: 'hash', batchEvents: 1 }, { id: '/id', eventBytesMax: 200 },
]; // prettier-ignore

for (const rule of RULES)
  RunnerSuite(`any records, ${JSON.stringify(rule)}`, () => {
    fc.assert(
      fc.property(slabs, (input) => void pair.check(rule, input)),
      { numRuns: 150 },
    );
  });

RunnerSuite('slabs that need several runs: more records than a table has rows, more batches than fit', () => {
  const small = new Pair({ slabBytes: 16_384 });
  const many = `{}\n\n{"id":"x"\n`.repeat(1_200);
  const tight: readonly Partial<PipelineDescription>[] = [
    { id: 'none' },
    { id: '/id' },
    { id: 'none', framing: 'each' },
    { id: 'none', batchEvents: 1 },
    { id: 'none', batchBytes: 40 },
  ];
  let runs = 0;
  for (const rule of tight)
    runs += small.check(rule, [
      { text: many.slice(0, 16_000), settle: true },
      { text: `${'{}\n'.repeat(5_000)}\n\n`, settle: true },
    ]);
  assert.ok(runs > 2 * tight.length, `${runs} runs`);
});

RunnerSuite('a record that cannot fit into any run is refused, and the run goes on', () => {
  const large = `{"id":"large","x":[${'1.5,'.repeat(14_000)}2]}\n`;
  const headers = { 'X-Long': 'h'.repeat(4_000) };
  for (const rule of [
    { id: 'none' },
    { id: '/id', batchBytes: 10, headers },
    { id: '/id', framing: 'each', headers, eventBytesMax: 262_144 },
  ] as const) {
    for (const text of [large, `{"id":"1"}\n${large}{"id":"2"}\n`, `\n\n${large}`]) pair.check(rule, [{ text, settle: true }]);
  }
  const narrow = new Pair({ messageBytesMax: 2_048 });
  narrow.check({}, [{ text: `{"id":"1","x":"${'y'.repeat(3_000)}"}\n{"id":"2"}\n`, settle: true }]);
});

RunnerSuite('a jumbo slab', () => {
  pair.check({ eventBytesMax: 262_144 }, [{ text: `{"id":"j","x":"${'z'.repeat(200_000)}"}\n{"id":"k"}\n`, settle: true }]);
});

RunnerSuite('what is never for the kernel, in between and throughout', () => {
  const odd = (index: number): string => `{"id":"${index}","n":12345678901234567890}\n\n`;
  const plain = (index: number): string => `{"id":"${index}"}\n`;
  const text = (of: (index: number) => boolean, base: number): string =>
    Array.from({ length: 400 }, (_, index) => (of(index) ? odd : plain)(base + index)).join('');
  pair.check({}, [
    { text: text(() => true, 0), settle: true },
    { text: text((index) => index % 2 === 0, 1_000), settle: true },
    { text: text((index) => index < 40, 200), settle: false },
  ]);
});

RunnerSuite.run();
