/** What a stream holds tells how many messages in doubt were stored, and where it does not tell, nothing is claimed. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { storedPrefix } from '../../../src/processors/jetstream/stored-prefix.ts';

const Prefix = suite('stored prefix');

for (const { name, doubt, stored, expected } of [
  { name: 'nothing behind the last known place', doubt: ['a', 'b'], stored: [], expected: 0 },
  { name: 'a part of them', doubt: ['a', 'b', 'c'], stored: ['a', 'b'], expected: 2 },
  { name: 'equal ones in a row, and nobody else', doubt: ['a', 'a', 'a'], stored: ['a', 'a'], expected: 2 },
  { name: 'one that was removed since', doubt: ['a', 'b', 'c'], stored: ['a', null, 'c'], expected: 3 },
  { name: 'all removed since', doubt: ['a', 'b', 'c'], stored: [null, null], expected: null },
  { name: 'others only', doubt: ['a', 'b'], stored: ['x', 'y', 'z'], expected: 0 },
  { name: 'others in between', doubt: ['a', 'b', 'c'], stored: ['x', 'a', 'y', 'b', 'z'], expected: 2 },
  { name: 'others with the same bytes', doubt: ['a', 'b', 'c'], stored: ['a', 'x', 'b', 'a'], expected: null },
  { name: 'one of them out of its order', doubt: ['a', 'b', 'c'], stored: ['x', 'b'], expected: null },
  { name: 'others, and something removed', doubt: ['a', 'b'], stored: ['x', null, 'a'], expected: null },
] as { name: string; doubt: string[]; stored: (string | null)[]; expected: number | null }[])
  Prefix(`finds the prefix with ${name}`, () => {
    assert.is(storedPrefix(doubt, stored), expected);
  });

Prefix('is exact for messages that differ, wherever others wrote', () => {
  fc.assert(
    fc.property(fc.nat(30), fc.nat(30), fc.array(fc.nat(40), { maxLength: 40 }), (total, wanted, places) => {
      const doubt = Array.from({ length: total }, (_, index) => `ours-${index}`);
      const length = Math.min(wanted, total);
      const stored = doubt.slice(0, length);
      for (const [index, place] of places.entries()) stored.splice(Math.min(place, stored.length), 0, `other-${index}`);
      assert.is(storedPrefix(doubt, stored), length);
    }),
  );
});

Prefix('never claims more than there are copies of', () => {
  const letters = fc.constantFrom('a', 'b', 'c');
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 8 }), fc.array(letters, { maxLength: 8 }), (doubt, stored) => {
      const found = storedPrefix(doubt, stored) ?? 0;
      for (const letter of ['a', 'b', 'c']) {
        const claimed = doubt.slice(0, found).filter((key) => key === letter).length;
        assert.ok(claimed <= stored.filter((key) => key === letter).length);
      }
    }),
  );
});

Prefix.run();
