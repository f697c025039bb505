/** Bytes that are not what they claim, on every kind that keeps a position: one dead letter each, with all of the bytes, and never again; their neighbours go on. */
import * as assert from 'uvu/assert';
import type { EventProcessor } from '../../../src/api/processor.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { badMessages } from './bad-input-cases.ts';
import type { Outside } from './outside.ts';
import { openOutside } from './outside.ts';
import { mainHandler, Rig, hasServer, stopServer, workerHandler } from './rig.ts';

for (const kind of ['embedded', 'jetstream', 'kafka'] as const) {
  if (!hasServer(kind)) continue;
  for (const place of ['main', 'workers'] as const) {
    const BadInput = timedSuite(`bad input, ${kind}, ${place}`, { timeoutMs: 60_000 });
    let rig: Rig;
    let processor: EventProcessor;
    let outside: Outside;
    BadInput.before(async () => {
      rig = await Rig.start(kind);
      processor = await rig.connect();
      await rig.store(processor, [{ n: 1 }], rig.subject('x')); // Makes the stream.
      outside = await openOutside(kind, rig);
    });
    BadInput.after(async () => {
      await outside.close();
      await rig.stop();
    });

    BadInput('each becomes a dead letter, and the durable is through with all', async () => {
      for (const { headers, bytes } of badMessages) await outside.publish(rig.subject('bad'), headers, bytes);
      await rig.store(processor, [{ n: 2 }]);
      const read = (): ReturnType<EventProcessor['subscribe']> =>
        processor.subscribe(rig.subject('>'), place === 'main' ? mainHandler : workerHandler, {
          durable: 'd',
          start: 'all',
          ackWaitMs: 1_000,
        });
      const subscription = await read();
      await rig.sees(2);
      const letters = await rig.deadLetters(badMessages.length);
      await subscription.drain();
      // None comes again: the durable goes on behind all of them.
      const again = await read();
      await rig.store(processor, [{ n: 3 }]);
      await rig.sees(3);
      await again.drain();
      assert.equal(rig.numbers, [1, 2, 3]);
      assert.is((await rig.deadLetters(badMessages.length)).length, badMessages.length);
      for (const { name, bytes, says } of badMessages) {
        const letter = letters.find((one) => Buffer.compare(one.raw, bytes) === 0 && says.test(one.message));
        assert.ok(letter !== undefined, `${name}: ${JSON.stringify(letters.map(({ message }) => message))}`);
        assert.equal([letter.reason, letter.code, letter.encoding], ['decode', 'MILLRACE_DECODE', 'input'], name);
      }
    });
    BadInput.run();
  }
}

const Last = timedSuite('end');
Last.after(stopServer);
Last('ends the servers', () => undefined);
Last.run();
