/** What a handler leaves behind may end its thread, never this process: those after it are handled by a new thread, each once. */
import * as assert from 'uvu/assert';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { Rig } from './rig.ts';

const Unruly = timedSuite('handlers that go wrong later', { timeoutMs: 30_000 });
const handler = { module: new URL('fixtures/unruly-handler.js', import.meta.url), export: 'unruly' };

for (const leaves of ['reject', 'throw', 'exit'] as const)
  Unruly(leaves, async () => {
    const rig = await Rig.start('embedded');
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note).on('uncaughtException', note);
    try {
      const processor = await rig.connect();
      const warnings: string[] = [];
      processor.on('warning', (message) => warnings.push(message));
      const subscription = await processor.subscribe('a', handler);
      for (let n = 1; n <= 3; n += 1) {
        await processor.publish('a', { n, log: rig.log, leaves });
        await rig.sees(2 * n);
        // Of one that ends in silence nobody hears.
        if (leaves !== 'exit') await waitFor('the warning', () => warnings.filter((text) => text.includes('left behind')).length === n);
      }
      await processor.publish('a', { n: 4, log: rig.log });
      await rig.sees(7);
      await subscription.drain();
      assert.equal([rig.numbers, unhandled], [[1, -1, 2, -2, 3, -3, 4], []]);
    } finally {
      process.off('unhandledRejection', note).off('uncaughtException', note);
      await rig.stop();
    }
  });

Unruly.run();
