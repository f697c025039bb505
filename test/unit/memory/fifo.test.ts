/** The line does what a plain array does, whatever is put in and taken out. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fifo } from '../../../src/memory/fifo.ts';

const FifoSuite = suite('Fifo');
const many = fc.integer({ min: 1, max: 12 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constant('push' as const), times: many }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('shift' as const), times: many }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('takeAll' as const), times: fc.constant(1) }) },
);

function same(fifo: Fifo<number>, plain: readonly number[]): void {
  assert.is(fifo.length, plain.length);
  assert.is(fifo.first, plain[0]);
  assert.equal(fifo.toArray(), plain);
  for (let index = -1; index <= plain.length + 1; index += 1) assert.is(fifo.at(index), plain[index]);
}

FifoSuite('is a plain array', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const fifo = new Fifo<number>();
      const plain: number[] = [];
      let item = 0;
      const acts = {
        push: () => {
          item += 1;
          plain.push(item);
          fifo.push(item);
        },
        shift: () => assert.is(fifo.shift(), plain.shift()),
        takeAll: () => assert.equal(fifo.takeAll(), plain.splice(0)),
      };
      for (const { act, times } of steps)
        for (let time = 0; time < times; time += 1) {
          acts[act]();
          same(fifo, plain);
        }
    }),
  );
});

FifoSuite('gives arrays that nobody shares', () => {
  const fifo = new Fifo<number>();
  for (const item of [1, 2, 3]) fifo.push(item);
  fifo.toArray().length = 0;
  assert.equal(fifo.toArray(), [1, 2, 3]);
  const taken = fifo.takeAll();
  fifo.push(4);
  assert.equal([taken, fifo.toArray()], [[1, 2, 3], [4]]);
});

FifoSuite.run();
