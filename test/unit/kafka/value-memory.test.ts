/** Values of records lie in memory that is used again: never while somebody may read it, and the bytes are those that were given. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ValueMemory } from '../../../src/processors/kafka/value-memory.ts';

const Memory = suite('ValueMemory');

Memory('whatever is taken and given back, what is held stays as it was', () => {
  const step = fc.record({ bytes: fc.integer({ min: 0, max: 70_000 }), fill: fc.nat(255), gives: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const memory = new ValueMemory();
      const held: { value: Buffer; bytes: number; fill: number }[] = [];
      for (const { bytes, fill, gives } of steps) {
        held.push({ value: memory.copy(new Uint8Array(bytes).fill(fill)), bytes, fill });
        if (gives) memory.give(held.shift()!.value);
        for (const one of held) assert.ok(one.value.equals(Buffer.alloc(one.bytes, one.fill)));
      }
    }),
    { numRuns: 50 },
  );
});

Memory('a large value takes the memory of one that was given back, a smaller one than that as well', () => {
  const memory = new ValueMemory();
  const first = memory.copy(new Uint8Array(60_000));
  memory.give(first);
  const second = memory.copy(new Uint8Array(50_000));
  assert.is(second.buffer, first.buffer);
  assert.is(second.length, 50_000);
  assert.is.not(memory.copy(new Uint8Array(50_000)).buffer, first.buffer);
});

Memory('memory that is too small is not stretched', () => {
  const memory = new ValueMemory();
  memory.give(memory.copy(new Uint8Array(5_000)));
  assert.is(memory.copy(new Uint8Array(100_000).fill(7)).length, 100_000);
});

Memory('no more than 16 MiB are kept', () => {
  const memory = new ValueMemory();
  const values = Array.from({ length: 20 }, () => memory.copy(new Uint8Array(1_048_576)));
  for (const value of values) memory.give(value);
  const known = new Set(values.map(({ buffer }) => buffer));
  const again = Array.from({ length: 20 }, () => memory.copy(new Uint8Array(1_048_576)));
  assert.is(again.filter(({ buffer }) => known.has(buffer)).length, 16);
});

Memory.run();
