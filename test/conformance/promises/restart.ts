/** After a reader or the broker was killed and came back: what was acked is there, readers go on, and the processors that were open work again. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { endWithUs } from '../../harness/end-with-us.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { inOrder, numbers } from '../expect.ts';
import { ACK_WAIT_MS, DURABLE, HOLD } from '../fixtures/reader-process.ts';
import type { Promised } from '../promised.ts';
import type { Rig } from '../rig.ts';

/** A reader in a process of its own, killed when it has been handed HOLD: what it printed. */
async function readAndKill(rig: Rig): Promise<number[]> {
  const script = fileURLToPath(new URL('../fixtures/reader-process.js', import.meta.url));
  const child = spawn(process.execPath, [script, 'read', rig.url, rig.subject()], { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithUs(child);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const printed: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(Number(line));
    if (Number(line) === HOLD) break;
  }
  child.kill('SIGKILL');
  await ended;
  return printed;
}

export const restartPromises: readonly Promised[] = [
  {
    name: 'goes on, after the reading process was killed, with what it had in hand, and loses nothing',
    needs: ['durable', 'acks'],
    proves: ['durable', 'acks'],
    once: true,
    run: async (rig) => {
      await Promise.all(numbers(HOLD * 2).map((n) => rig.publisher.publish(rig.subject(), n)));
      inOrder(await readAndKill(rig), HOLD + 1);
      const reading = await rig.read(rig.subject(), { durable: DURABLE, ackWaitMs: ACK_WAIT_MS });
      // A group of Kafka waits for a member's session to end.
      await waitFor('the last event', () => reading.events.includes(HOLD * 2 - 1), 2 * rig.deadlineMs);
      // Acks that were given and not yet on their way when it was killed bring their events again; what was in hand must come.
      const seen = [...new Set(reading.events.map(Number))];
      assert.equal(seen.toSorted((a, b) => a - b).slice(-HOLD), numbers(HOLD, HOLD));
    },
  },
  {
    name: 'has every acked event after the broker was killed, and goes on publishing and reading',
    needs: ['persistent', 'durable'],
    proves: ['persistent', 'durable'],
    restarts: true,
    run: async (rig) => {
      const options = { durable: 'restart', confirmAcks: true };
      const first = await rig.read(rig.subject(), options);
      await Promise.all(numbers(100).map((n) => rig.publisher.publish(rig.subject(), n)));
      await first.until(100);
      await first.subscription.drain();
      await first.processor.close();
      await Promise.all(numbers(100, 100).map((n) => rig.publisher.publish(rig.subject(), n)));
      await rig.place.restart();
      await rig.publisher.publish(rig.subject(), 200); // By the processor that was open.
      const resumed = await rig.read(rig.subject(), options);
      await rig.wait('the last event', () => resumed.events.includes(200));
      // A server that is killed may have kept an ack in memory only (JetStream does): what was acked may come again, what was not must come.
      const seen = [...new Set(resumed.events.map(Number))];
      assert.equal(seen, numbers(seen.length, 201 - seen.length));
      assert.ok(seen.length >= 101, `${seen.length} events`);
      const all = await rig.read(rig.subject(), { start: 'all' });
      inOrder(
        (await rig.fence(all)).map(({ event }) => event),
        201,
      );
    },
  },
  {
    name: 'connects again when its broker comes back',
    restarts: true,
    run: async (rig) => {
      const reading = await rig.read(rig.subject(), { start: 'new' });
      await rig.publisher.publish(rig.subject(), 'before');
      await reading.until(1);
      await rig.place.restart();
      await rig.wait('publisher and reader', async () => (await rig.publisher.health()).ok && (await reading.processor.health()).ok);
      // Until it arrives: without a store, what is published before the reader is back is heard by nobody.
      const { persistent } = rig.publisher.capabilities;
      if (persistent) await rig.publisher.publish(rig.subject(), 'after');
      await rig.wait(
        'what was published after it',
        async () => {
          if (!persistent) await rig.publisher.publish(rig.subject(), 'after');
          return reading.events.includes('after');
        },
        () => JSON.stringify(reading.events),
      );
      assert.is(new Set(reading.events).size, 2);
    },
  },
];
