/** After a reader, a writer or the broker was killed and came back: what was acked is there, readers go on, and the processors that were open work again. */
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
import { snapshot } from '../rig.ts';

const WRITTEN = 200;

/** A reader or writer in a process of its own, killed when it has printed so many numbers: those. */
async function runAndKill(rig: Rig, what: 'reader' | 'writer', count: number): Promise<number[]> {
  const script = fileURLToPath(new URL(`../fixtures/${what}-process.js`, import.meta.url));
  const child = spawn(process.execPath, [script, 'run', rig.url, rig.subject()], { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithUs(child);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const printed: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) if (printed.push(Number(line)) === count) break;
  child.kill('SIGKILL');
  await ended;
  return printed;
}

/** All there is, told in a way that another process's copy of it would have to equal. */
async function history(rig: Rig): Promise<unknown[]> {
  const read: unknown[] = [];
  for await (const delivery of rig.publisher.replay({ subject: rig.subject() })) {
    const { event, subject, id, sequence, time, headers } = snapshot(delivery);
    read.push({ event, subject, id, sequence, time, headers });
  }
  return read;
}

export const restartPromises: readonly Promised[] = [
  {
    name: 'has what a process was told is stored, each once, after that process was killed',
    needs: ['persistent', 'replay'],
    proves: ['persistent'],
    once: true,
    run: async (rig) => {
      const told = await runAndKill(rig, 'writer', WRITTEN);
      const reading = await rig.read(rig.subject(), { start: 'all' });
      const seen = (await rig.fence(reading)).map(({ event }) => Number(event));
      assert.is(new Set(seen).size, seen.length, 'an event is there twice');
      assert.equal(
        told.filter((n) => !seen.includes(n)),
        [],
        'acked and not stored',
      );
    },
  },
  {
    name: 'goes on, after the reading process was killed, with what it had in hand, and loses nothing',
    needs: ['durable', 'acks'],
    proves: ['durable', 'acks'],
    once: true,
    run: async (rig) => {
      await Promise.all(numbers(HOLD * 2).map((n) => rig.publisher.publish(rig.subject(), n)));
      inOrder(await runAndKill(rig, 'reader', HOLD + 1), HOLD + 1);
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
    name: 'tells the same history after the broker was killed',
    needs: ['persistent', 'replay'],
    proves: ['persistent', 'replay'],
    restarts: true,
    run: async (rig) => {
      await Promise.all(numbers(50).map((n) => rig.publisher.publish(rig.subject(), n, { id: `id-${n}`, headers: { N: String(n) } })));
      const before = await history(rig);
      assert.is(before.length, 50);
      await rig.place.restart();
      await rig.wait('the publisher', async () => (await rig.publisher.health()).ok);
      assert.equal(await history(rig), before);
    },
  },
  {
    name: 'knows an id, in a new process too, after the broker was killed',
    needs: ['persistent', 'dedupe'],
    proves: ['dedupe'],
    restarts: true,
    run: async (rig) => {
      const before = await rig.connect();
      await before.publish(rig.subject(), 'theirs', { id: 'kept' });
      await before.close();
      await rig.place.restart();
      const after = await rig.connect();
      assert.is((await after.publish(rig.subject(), 'ours', { id: 'kept' })).duplicate, true);
      const reading = await rig.read(rig.subject(), { start: 'all' });
      assert.equal(
        (await rig.fence(reading)).map(({ event }) => event),
        ['theirs'],
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
