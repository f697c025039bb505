/** A stream that is full and refuses the new: a few trials a second whatever waits, health says why, and when there is room everything arrives once. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Health, IngestReport } from '../../../src/index.ts';
import { connect as connectNats } from '../../../src/connections/nats-library.ts';
import type { NatsConnection } from '../../../src/connections/nats-library.ts';
import { timedSuite, within } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { readAll, targetNames, Targets } from './targets.ts';

const Full = timedSuite('a stream that is full', { timeoutMs: 60_000 });
const targets = new Targets();
let outside: NatsConnection | null = null;
Full.after(async () => {
  await outside?.close();
  await targets.end();
});
const EVENTS = 4_000;
const TRIALS_PER_SECOND_MAX = 20;

for (const { name, id } of [
  { name: 'message by message', id: 'offset' },
  { name: 'by fast ingest', id: 'none' },
] as const)
  if (targetNames.includes('jetstream'))
    Full(name, async () => {
      const { url } = await targets.server();
      outside ??= await connectNats({ servers: url });
      const manager = await outside.jetstreamManager();
      const stream = `FULL-${id.toUpperCase()}-JETSTREAM`;
      const subject = `full-${id}`;
      await manager.streams.add({ name: stream, subjects: [subject], max_msgs: 3, discard: 'new' as never });
      const file = join(targets.folder, `${subject}.ndjson`);
      writeFileSync(file, Array.from({ length: EVENTS }, (_, n) => `{"n":${n}}\n`).join(''));
      await using processor = await targets.open('jetstream', `full-${id}`, { batchEvents: 20, maxAttempts: 1_000 });
      const warnings: string[] = [];
      let trials = 0;
      processor.on('warning', (message) => warnings.push(message)).on('retry', () => void (trials += 1));
      const ingesting = processor.ingest(file, { subject, id });
      await waitFor('the circuit to open', () => warnings.some((message) => message.includes('takes nothing now')));
      const unwell: Health = await processor.health();
      assert.is(unwell.ok, false);
      assert.match(unwell.reasons.join(), /takes nothing now: .*FULL/);
      const [before, began] = [trials, performance.now()];
      const inFlight = await waitFor('some trials', () => trials > before + 3 && processor.stats().inFlight);
      const perSecond = (trials - before) / ((performance.now() - began) / 1_000);
      assert.ok(perSecond < TRIALS_PER_SECOND_MAX, `${perSecond} trials a second`);
      assert.ok(inFlight > 0);
      await manager.streams.update(stream, { max_msgs: -1 });
      const report: IngestReport = await within('ingest ends', 30_000, () => ingesting);
      assert.equal([report.accepted, report.acked, report.failed, report.inFlight], [EVENTS, EVENTS, 0, 0]);
      assert.is((await processor.health()).ok, true);
      const seen = new Set<number>();
      await readAll(processor, EVENTS, ({ event }) => void seen.add((event as { n: number }).n), { noAck: true });
      assert.is(seen.size, EVENTS);
    });

Full.run();
