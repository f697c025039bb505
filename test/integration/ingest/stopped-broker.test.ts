/** B9: a broker that stands still for long: the source is paused, memory stays flat, health says so; when it goes on, every event is stored once. */
import * as assert from 'uvu/assert';
import { timedSuite, within } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { readAll, targetNames, Targets } from './targets.ts';

const Stopped = timedSuite('a broker that stands still', { timeoutMs: 115_000 });
const targets = new Targets();
Stopped.after(() => targets.end());
/** A minute with MILLRACE_FULL=1. */
const STILL_MS = process.env['MILLRACE_FULL'] === '1' ? 60_000 : 5_000;
const MIB = 1_048_576;
/** What the socket and the client may hold beside the ring, which is resident before: 16 MiB in flight, twice while it is sent again. */
const GROWTH_MIB_MAX = 64;

for (const target of targetNames.filter((name) => name !== 'embedded'))
  Stopped(`SIGSTOP for ${STILL_MS / 1_000} s (${target})`, async () => {
    const server = await targets.server();
    await using processor = await targets.open(target, 'still', { publishTimeout: '500ms', maxAttempts: 1_000, slabBytes: '128KiB' });
    let [given, ended] = [0, false];
    async function* source(): AsyncGenerator<Uint8Array> {
      while (!ended) {
        const lines: string[] = [];
        for (let n = 0; n < 200; n += 1) lines.push(`{"id":"e-${given + n}","pad":"${'p'.repeat(150)}"}\n`);
        given += 200;
        yield Buffer.from(lines.join(''));
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const ingesting = processor.ingest(source() as AsyncIterable<Uint8Array>, { subject: `still-${target}`, id: '/id' });
    ingesting.catch(() => undefined); // Whoever fails first is heard.
    await waitFor('a warm ring', () => processor.stats().acked > 30_000, 30_000);
    await server.kill('SIGSTOP');
    try {
      let [acked, since] = [-1, 0];
      await waitFor('a full ring, and no more acks on their way', () => {
        const stats = processor.stats();
        if (stats.acked !== acked) [acked, since] = [stats.acked, performance.now()];
        return stats.slabs.free === 0 && performance.now() - since > 200;
      });
      const [givenThen, ackedThen] = [given, processor.stats().acked];
      const unwell = processor.health();
      const before = process.memoryUsage.rss();
      let most = before;
      const end = performance.now() + STILL_MS;
      await waitFor(
        'the silence to pass',
        () => {
          most = Math.max(most, process.memoryUsage.rss());
          return performance.now() > end;
        },
        STILL_MS + 10_000,
      );
      const grown = (most - before) / MIB;
      assert.ok(grown < GROWTH_MIB_MAX, `${grown.toFixed(0)} MiB more`);
      assert.ok(given - givenThen <= 5_000, `${given - givenThen} lines more were taken of the source`);
      assert.ok(processor.stats().acked - ackedThen < 30_000, 'it stood still');
      assert.is(processor.tryPublish(`still-${target}`, { id: 'no room' }), false);
      assert.is((await within('health answers', 10_000, () => unwell)).ok, false);
    } finally {
      await server.kill('SIGCONT');
    }
    ended = true;
    const report = await within('ingest ends', 40_000, () => ingesting);
    assert.equal([report.accepted, report.acked, report.failed, report.inFlight], [given, given, 0, 0]);
    const seen = new Set<string>();
    let read = 0;
    await readAll(
      processor,
      given,
      ({ event }) => {
        read += 1;
        seen.add((event as { id: string }).id);
      },
      { noAck: true },
    );
    assert.equal([read, seen.size], [given, given]);
    assert.is(await processor.health().then(({ ok }) => ok), true);
  });

Stopped.run();
