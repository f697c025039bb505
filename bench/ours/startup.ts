/** From nothing to the first ack: import, connect, make the stream, publish. Imports nothing that would be loaded already. */
import { cpuUsage } from 'node:process';
import type { RunRequest, RunResult } from '../harness/types.ts';

/** Params: system (millrace, client). */
export async function run({ params, url }: RunRequest): Promise<RunResult> {
  const started = performance.now();
  const sequence = params['system'] === 'client' ? await firstByClient(url) : await firstByUs(url);
  const firstAckMs = performance.now() - started;
  if (sequence !== 1) throw new Error(`the first message has sequence ${sequence}`);
  const { user, system } = cpuUsage();
  return { figures: { firstAckMs, cpuMs: (user + system) / 1_000 }, verified: 'the broker gave sequence 1' };
}

async function firstByUs(url: string): Promise<number> {
  const { connect } = await import('millrace');
  const processor = await connect(`nats+jetstream://${url.replace('nats://', '')}/BENCH`);
  return (await processor.publish('bench.first', { id: 'first' })).sequence;
}

async function firstByClient(url: string): Promise<number> {
  const { connect } = await import('nats');
  const { pack } = await import('msgpackr');
  const connection = await connect({ servers: url });
  await (await connection.jetstreamManager()).streams.add({ name: 'BENCH', subjects: ['bench.>'] });
  return (await connection.jetstream().publish('bench.first', pack({ id: 'first' }))).seq;
}
