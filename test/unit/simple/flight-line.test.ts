/** The line of what is in flight keeps order and values over the wrap of its slots. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FlightLine } from '../../../src/processors/simple/flight-line.ts';

const FlightLineSuite = suite('FlightLine');

FlightLineSuite('gives back in order what was pushed, many times round', () => {
  const line = new FlightLine(3); // Four slots.
  let pushed = 0;
  for (let round = 0; round < 50; round++) {
    while (!line.full) line.sent(line.push(pushed, pushed * 10, `s${pushed}`), pushed * 2, pushed++);
    assert.is(line.end - line.head, 4);
    for (let taken = 0; taken < 3; taken++) {
      const token = line.head;
      assert.equal(
        [line.token(token), line.bytes(token), line.subject(token), line.sentAtMs(token), line.flush(token)],
        [token, token * 10, `s${token}`, token * 2, token],
      );
      line.shift();
    }
  }
});

FlightLineSuite('keeps the place of one that is settled before its turn', () => {
  const line = new FlightLine(4);
  const first = line.push(7, 1, 'a');
  const second = line.push(8, 1, 'b');
  line.settle(first);
  assert.ok(line.settled(first) && !line.settled(second));
  line.shift();
  assert.is(line.token(line.head), 8);
});

FlightLineSuite.run();
