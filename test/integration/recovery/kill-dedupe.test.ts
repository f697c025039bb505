/** `dedupe` over kill -9: whatever finds the ids, and whatever the batch borders of the next run are, each event is stored exactly once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startNatsServer } from '../../harness/nats-server.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { eventsFile, ingestWithKills, newSeed, random } from './kill-rig.ts';
import type { Scratch } from './kill-rig.ts';
import { notOnce, storedEvents } from './stored-events.ts';

const EVENTS = 25_000;
const KILLS = 4;

const Suite = suite('kill -9 and dedupe');
let server: TestServer;
let scratch: Scratch;

const cases = [
  { name: 'a field', id: '/id', subject: 'a.{type}', more: [] },
  { name: 'the hash', id: 'hash', subject: 'b', more: [] },
  { name: 'the position', id: 'offset', subject: 'c.{type}', more: [] },
  { name: 'the position and one message per event', id: 'offset', subject: 'd', more: ['--framing', 'each'] },
  { name: 'a field and a checkpoint', id: '/id', subject: 'e.{type}', more: ['--checkpoint', 'e.checkpoint'] },
  { name: 'the position and a checkpoint', id: 'offset', subject: 'f.{type}', more: ['--checkpoint', 'f.checkpoint'] },
];

if (requireServer('nats-server') !== null) {
  Suite.before(async () => {
    server = await startNatsServer();
    scratch = eventsFile(EVENTS);
  });
  Suite.after(async () => {
    await server.stop();
    scratch.remove();
  });

  for (const { name, id, subject, more } of cases) {
    Suite(`stores each event once, by ${name}`, async () => {
      const seed = newSeed();
      const stream = subject[0]!.toUpperCase();
      const chance = random(seed);
      const args = (): readonly string[] => {
        const batch = ['--batch-bytes', String(2_000 + Math.floor(chance() * 60_000))];
        return [
          scratch.file,
          '--to',
          `nats+dedupe://127.0.0.1:${server.port}/${stream}`,
          '--subject',
          subject,
          '--id',
          id,
          '--workers',
          chance() < 0.5 ? '1' : '2',
          '--max-rate',
          '60000/s',
          ...batch,
          ...more,
        ];
      };
      const end = await ingestWithKills({
        server: server.url,
        stream,
        cwd: scratch.folder,
        args,
        kills: KILLS,
        random: chance,
        killMsMax: 250,
      });
      const stored = await storedEvents(server.url, stream);
      const place = `seed ${seed}, ${end.killed} killed, ${end.stderr}`;
      assert.is(end.code, 0, place);
      assert.ok(end.killed > 0, place);
      assert.is(notOnce(stored, EVENTS), '', place);
      const { acked, duplicates, accepted } = end.report!;
      assert.is(accepted, acked + duplicates, place);
    });
  }
}

Suite.run();
