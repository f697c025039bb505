/** Several processes on one folder, and processes that are killed: no sequence twice, no acked message lost or changed, leases pass on. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as assert from 'uvu/assert';
import { storeInfo } from '../../../src/processors/embedded/info.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { openRig, read, remove, temporaryFolder } from './store-rig.ts';

const Suite = timedSuite('embedded: processes', { timeoutMs: 90_000 });
const KILLS = 12;
let folder = '';
let children: Child[] = [];

interface Child {
  readonly process: ChildProcess;
  /** Complete lines so far. */
  readonly lines: string[];
  readonly exited: Promise<number | null>;
}

function start(module: string, ...args: readonly string[]): Child {
  const child = spawn(process.execPath, [new URL(module, import.meta.url).pathname, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: string[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop()!;
    lines.push(...parts);
  });
  const exited = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  const started = { process: child, lines, exited };
  children.push(started);
  return started;
}

Suite.before.each(() => {
  folder = temporaryFolder();
  children = [];
});
Suite.after.each(async () => {
  for (const { process: child, exited } of children) {
    child.kill('SIGKILL');
    await exited;
  }
  remove(folder);
});

/** Every line is an ack: its message must be there with that hash. */
async function checkStored(acks: ReadonlyMap<number, string>): Promise<number> {
  const { broker } = await openRig(folder);
  const last = await broker.lastSequence('>');
  const { reader, got } = await read(broker, { noAck: true }, () => undefined);
  await waitFor('all messages', () => got.length === last);
  await reader.close();
  await broker.close();
  const stored = new Map(got.map(({ sequence, hash }) => [sequence, hash]));
  for (const [sequence, hash] of acks) assert.is(stored.get(sequence), hash, `message ${sequence}`);
  return last;
}

function addAcks(acks: Map<number, string>, lines: readonly string[]): void {
  for (const line of lines) {
    const [sequence, hash] = line.split(' ') as [string, string];
    assert.not(acks.has(Number(sequence)), `sequence ${sequence} given twice`);
    acks.set(Number(sequence), hash);
  }
}

Suite('three processes that write at once give every sequence once and lose nothing', async () => {
  const writers = ['a', 'b', 'c'].map((name) => start('./writer-process.js', folder, name, '1500', '3000'));
  for (const { exited } of writers) assert.is(await exited, 0);
  const acks = new Map<number, string>();
  for (const { lines } of writers) addAcks(acks, lines);
  assert.is(acks.size, 4_500);
  assert.is(await checkStored(acks), 4_500);
});

Suite(`a writer killed ${KILLS} times at random moments loses no acked message, and the store opens`, async () => {
  const acks = new Map<number, string>();
  let seed = Number(process.env['MILLRACE_TEST_SEED'] ?? Date.now() % 2 ** 31);
  process.stdout.write(`seed ${seed} `); // rerun with MILLRACE_TEST_SEED
  const random = (below: number): number => (seed = (seed * 48_271 + 1) % 2_147_483_647) % below;
  let killed = 0;
  for (let round = 0; round < KILLS; round++) {
    const writer = start('./writer-process.js', folder, `r${round}`, '1000000', '20000');
    const acksBefore = random(400);
    const extraMs = performance.now() + random(30);
    await waitFor(`${acksBefore} acks`, () => writer.lines.length > acksBefore && performance.now() > extraMs);
    writer.process.kill('SIGKILL');
    await writer.exited;
    killed += Number(writer.process.signalCode === 'SIGKILL');
    addAcks(acks, writer.lines);
  }
  assert.is(killed, KILLS);
  assert.ok((await checkStored(acks)) >= acks.size);
});

Suite('readers in two processes share a durable, and the messages of one that is killed come to the other', async () => {
  const rig = await openRig(folder);
  const first = start('./reader-process.js', folder, 'd', '300');
  const second = start('./reader-process.js', folder, 'd', '300');
  await waitFor('both readers', async () => (await rig.say('s', 'x')) > 0 && first.lines.length > 0 && second.lines.length > 0);
  const sending = Promise.all(Array.from({ length: 2_000 }, (_, index) => rig.say('s', String(index))));
  await waitFor('the first at work', () => first.lines.length > 100);
  first.process.kill('SIGKILL');
  await first.exited;
  const total = Math.max(...(await sending));
  const seen = (): number => new Set([...first.lines, ...second.lines].map((line) => line.split(' ')[0])).size;
  await waitFor('every message', () => seen() === total);
  await waitFor('the leases of the first to pass on', async () => (await storeInfo(folder)).durables[0]?.pending === 0);
  second.process.stdin!.end();
  assert.is(await second.exited, 0);
  await rig.broker.close();
  assert.equal((await storeInfo(folder)).durables, [{ name: 'd', filter: '>', position: total, pending: 0 }]);
  // The second sees a message of the first again only if its lease ended: never as a first delivery.
  const firstSaw = new Set(first.lines.map((line) => line.split(' ')[0]));
  for (const line of second.lines) {
    const [sequence, redeliveries] = line.split(' ') as [string, string];
    if (firstSaw.has(sequence)) assert.is.not(redeliveries, '0', `message ${sequence} was handed to both`);
  }
});

Suite('a process sees what another writes', async () => {
  const rig = await openRig(folder);
  const { reader, got } = await read(rig.broker, { filter: 'from.*' });
  const writer = start('./writer-process.js', folder, 'w', '200', '200');
  await waitFor('all messages', () => got.length === 200);
  assert.is(await writer.exited, 0);
  await reader.close();
  await rig.broker.close();
  addAcks(new Map(), writer.lines);
});

Suite.run();
