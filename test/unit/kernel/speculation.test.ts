/** A key that was remembered from another record never hides that it is repeated in this one: searched in full for small records, at random for larger ones. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { expect, KernelRig } from './kernel-rig.ts';
import type { Expected } from './kernel-rig.ts';

const SpeculationSuite = suite('Speculation of keys');
const rig = new KernelRig();
const LONG = 'l'.repeat(60); // Too long to be remembered.

/** All objects of at most `keysMax` keys in all, as text: each value is a number, or an object or a list of objects that holds the keys that follow. */
function objects(keysMax: number, names: readonly string[], values: readonly string[]): readonly string[] {
  const found: string[] = [];
  const open = (text: string, closers: readonly string[], keys: number, first: boolean): void => {
    if (closers.length === 0) {
      found.push(text);
      return;
    }
    // Close the innermost container, or add a key to it.
    const [closer, ...outer] = closers as readonly [string, ...string[]];
    open(text + closer, outer, keys, false);
    if (closer === '}]' && !first) open(`${text}},{`, closers, keys, true);
    if (keys === keysMax) return;
    for (const name of names) {
      for (const value of values) {
        const key = `${text}${first ? '' : ','}"${name}":`;
        if (value === '{') open(`${key}{`, ['}', ...closers], keys + 1, true);
        else if (value === '[') open(`${key}[{`, ['}]', ...closers], keys + 1, true);
        else open(key + value, closers, keys + 1, false);
      }
    }
  };
  open('{', ['}'], 0, true);
  return found;
}

/** Every sequence of `length` of the texts, each on a kernel that remembers nothing. */
function searchAll(texts: readonly string[], length: number): void {
  const lines = texts.map((text) => Buffer.from(`${text}\n`));
  const known = lines.map((line) => expect(line)[0]!);
  const pick = new Array<number>(length).fill(0);
  for (;;) {
    rig.aim([]);
    let at = 0;
    const records = pick.map((index, line): Expected => {
      const start = at;
      at += lines[index]!.length;
      return { ...known[index]!, start, next: at, line };
    });
    rig.take(Buffer.concat(pick.map((index) => lines[index]!)), { stale: '', records });
    let place = length - 1;
    while (place >= 0 && pick[place] === lines.length - 1) pick[place--] = 0;
    if (place < 0) return;
    pick[place]! += 1;
  }
}

SpeculationSuite('three flat records of up to three keys, one of which is too long to be remembered', () => {
  searchAll(objects(3, ['a', 'b', LONG], ['1']), 3);
});

SpeculationSuite('two records of up to four keys in nested objects', () => {
  const texts = objects(3, ['a', 'b'], ['1', '{']);
  assert.ok(texts.length > 100);
  searchAll(texts, 2);
});

SpeculationSuite('two records with lists of objects', () => {
  searchAll(
    objects(2, ['a', 'b'], ['1', '[']).filter((text) => text.length < 60),
    2,
  );
});

SpeculationSuite('three records with nested objects and a key that is too long', () => {
  searchAll(objects(2, ['a', LONG], ['1', '{']), 3);
});

interface Node {
  readonly key: string;
  readonly value: string | Node[] | { readonly list: readonly (readonly Node[])[] };
}

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'ab', 'é', '\\u0061', `${LONG}1`, 'seventeen bytes k'),
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('1', '"text"', '{}', '[]', 'null'),
      fc.array(tie('node'), { maxLength: 4 }),
      fc.record({ list: fc.array(fc.array(tie('node'), { maxLength: 3 }), { maxLength: 3 }) }),
    ),
  }),
}));

function textOf(nodes: readonly Node[], colon: string): string {
  const valueOf = (value: Node['value']): string => {
    if (typeof value === 'string') return value;
    if ('list' in value) return `[${value.list.map((item) => textOf(item, colon)).join(',')}]`;
    return textOf(value, colon);
  };
  return `{${nodes.map(({ key, value }) => `"${key}"${colon}${valueOf(value)}`).join(',')}}`;
}

/** A record that is the one before it, but for a key that was left out, doubled, moved or put in. */
function changed(nodes: readonly Node[], edits: readonly (readonly [kind: number, from: number, to: number])[]): Node[] {
  const next = [...nodes];
  for (const [kind, from, to] of edits) {
    const [at, there] = [from % (next.length + 1), to % (next.length + 1)];
    const moved = next[at];
    if (moved === undefined) continue;
    if (kind === 0 || kind === 2) next.splice(at, 1);
    if (kind === 1 || kind === 2) next.splice(there, 0, moved);
    if (kind === 3 && Array.isArray(moved.value)) next[at] = { ...moved, value: changed(moved.value, [[1, from >> 2, to >> 2]]) };
  }
  return next;
}

SpeculationSuite('records that grow out of one another', () => {
  const edit = fc.tuple(fc.nat(3), fc.nat(12), fc.nat(12));
  const steps = fc.array(fc.array(edit, { maxLength: 3 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(node, { minLength: 1, maxLength: 8 }), steps, fc.constantFrom(':', ': ', ' :  '), (first, edits, colon) => {
      const records = [first];
      for (const step of edits) records.push(changed(step.length === 0 ? first : records.at(-1)!, step));
      rig.take(Buffer.from(records.map((record) => textOf(record, colon)).join('\n')));
    }),
    { numRuns: 3_000 },
  );
});

SpeculationSuite('takes records of one shape, and those of a shape that was learned again', () => {
  const line = '{"a":1,"b":{"a":2,"b":[{"c":3},{"c":4}]},"c":5}\n';
  const other = '{"b":1,"a":{"x":2}}\n';
  rig.aim([]);
  assert.is(rig.take(Buffer.from(line.repeat(1_000))), 1_000);
  assert.is(rig.take(Buffer.from((line + other).repeat(500))), 1_000);
});

SpeculationSuite.run();
