/** The committed position never passes what is not settled, in whatever order records are settled. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PartitionPosition } from '../../../src/processors/kafka/position.ts';
import type { Place } from '../../../src/processors/kafka/position.ts';

const PositionSuite = suite('PartitionPosition');

PositionSuite('waits for the lowest that is not settled', () => {
  const position = new PartitionPosition(0, 10, -1);
  const [first, second, third] = [position.take(10), position.take(12), position.take(13)];
  assert.is(position.committable, 10);
  assert.ok(position.settle(second));
  assert.is(position.committable, 10);
  assert.ok(position.settle(first));
  assert.not.ok(position.settle(first));
  assert.is(position.committable, 13);
  position.skipTo(20);
  assert.is(position.committable, 13);
  position.settle(third);
  assert.is(position.committable, 20);
  assert.is(position.inHand, 0);
});

PositionSuite('agrees with a search of all that is open, over any order and many records', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ take: fc.integer({ min: 0, max: 400 }), settle: fc.array(fc.nat(), { maxLength: 300 }), skip: fc.nat(5) }), {
        maxLength: 20,
      }),
      (steps) => {
        const position = new PartitionPosition(0, 0, -1);
        let open: Place[] = [];
        for (const { take, settle, skip } of steps) {
          for (let index = 0; index < take; index++) open.push(position.take(position.next));
          for (const choice of settle) {
            const place = open[choice % Math.max(1, open.length)];
            if (place === undefined) continue;
            position.settle(place);
            open = open.filter((each) => each !== place);
          }
          position.skipTo(position.next + skip);
          assert.is(
            position.committable,
            open.reduce((lowest, { offset }) => Math.min(lowest, offset), position.next),
          );
          assert.is(position.inHand, open.length);
        }
      },
    ),
    { numRuns: 100 },
  );
});

PositionSuite.run();
