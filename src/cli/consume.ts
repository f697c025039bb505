/** `millrace consume`: events of a broker to stdout as NDJSON; an event is acknowledged after its line has left, never before. */
import type { Command } from 'commander';
import { MillraceError } from '../api/errors.ts';
import type { Delivery } from '../api/event.ts';
import type { StartPosition, SubscribeOptions } from '../api/options.ts';
import type { EventProcessor, Subscription } from '../api/processor.ts';
import type { CommandLine } from './command-options.ts';
import { addCommon, readCommandLine } from './command-options.ts';
import { exitCodes } from './exit-codes.ts';
import { IdleClock } from './idle-clock.ts';
import { LineSink } from './line-sink.ts';
import { moduleOf } from './module-file.ts';
import { note, onOutputGone, paint } from './output.ts';
import { withProcessor } from './session.ts';
import type { Stop } from './signals.ts';
import { count, duration } from './text.ts';

const EXAMPLES = `Examples:
  millrace consume --from embedded:.millrace --idle-timeout 1s
  millrace consume --from nats+jetstream://127.0.0.1:4222/EVENTS --subject 'events.>' --start all --count 10
  millrace consume --from nats+jetstream://127.0.0.1:4222/EVENTS --durable billing --envelope | jq .subject
`;

export function addConsume(program: Command, done: (code: number) => void): void {
  const command = program
    .command('consume')
    .summary('events of a broker to stdout as NDJSON')
    .description('Reads events and prints each as one line of JSON: 64-bit integers exactly, bytes as {"$base64":"…"}.')
    .addHelpText('before', EXAMPLES);
  addCommon(command, { address: 'from', call: 'consume' }).action(async () => done(await consume(command)));
}

async function consume(command: Command): Promise<number> {
  const line = readCommandLine(command, { address: 'from', call: 'consume' });
  const handler = moduleOf('handler', String(line.resolution.call['handler']));
  const { drainTimeoutMs } = line.resolution.options;
  return withProcessor({ target: line.target, connectOptions: line.connectOptions, drainTimeoutMs }, async ({ processor, stop }) => {
    const began = performance.now();
    const events =
      handler === undefined ? await printEvents(processor, line, stop) : await handleEvents(processor, { line, stop, handler });
    const elapsedMs = performance.now() - began;
    if (line.json) note(JSON.stringify({ events, elapsedMs: Number(elapsedMs.toFixed(1)) }));
    else if (process.stderr.isTTY) note(paint(`${count(events)} events in ${duration(elapsedMs)}`, 'dim'));
    return exitCodes.ok;
  });
}

async function printEvents(processor: EventProcessor, line: CommandLine, stop: Stop): Promise<number> {
  const { call } = line.resolution;
  const countMax = call['count'] === '' ? Infinity : Number(call['count']);
  const { toJsonLine } = await import('../index.ts');
  const print =
    call['envelope'] === true
      ? (delivery: Delivery) => envelope(delivery, toJsonLine(delivery.event))
      : (delivery: Delivery) => toJsonLine(delivery.event);
  const subscription = await processor.subscribe(filterOf(call['subject']), subscribeOptions(line));
  const sink = new LineSink({ ack: call['noAck'] !== true });
  const end = (): void => void subscription.close().catch(() => {});
  using _idle = new IdleClock({
    timeoutMs: call['idleTimeout'] === '' ? null : Number(call['idleTimeout']),
    progress: () => subscription.received,
    expired: end,
  });
  stop.signal.addEventListener('abort', end, { once: true });
  onOutputGone(end);
  let printed = 0;
  try {
    for await (const delivery of subscription) {
      if (stop.signal.aborted) break;
      printed += 1;
      sink.add(`${print(delivery)}\n`, delivery);
      // Leaving the loop closes the subscription: what was printed must be acknowledged before.
      if (printed >= countMax) await sink.flush();
      else if (sink.full) await sink.flush();
      if (printed >= countMax) break;
    }
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'MILLRACE_ABORTED') throw error;
  }
  await sink.flush();
  await subscription.close();
  return sink.written;
}

async function handleEvents(
  processor: EventProcessor,
  run: { readonly line: CommandLine; readonly stop: Stop; readonly handler: { readonly module: URL | string } },
): Promise<number> {
  const { call } = run.line.resolution;
  const subscription: Subscription = await processor.subscribe(filterOf(call['subject']), run.handler, subscribeOptions(run.line));
  const end = (): void => void subscription.drain().catch(() => {});
  const countMax = call['count'] === '' ? Infinity : Number(call['count']);
  const received = (): number => {
    if (subscription.received >= countMax) end();
    return subscription.received;
  };
  using _idle = new IdleClock({
    timeoutMs: call['idleTimeout'] === '' ? null : Number(call['idleTimeout']),
    progress: received,
    expired: end,
  });
  run.stop.signal.addEventListener('abort', end, { once: true });
  await subscription.closed;
  return subscription.received;
}

function subscribeOptions({ resolution: { call, options } }: CommandLine): SubscribeOptions {
  const text = (name: string): string => String(call[name]);
  return {
    ackWaitMs: Number(call['ackWait']),
    maxInFlight: Number(call['maxInFlight']),
    noAck: call['noAck'] === true,
    deadLetters: options.deadLetters,
    ...(call['durable'] === '' ? {} : { durable: text('durable') }),
    ...(call['queue'] === '' ? {} : { queue: text('queue') }),
    ...(call['start'] === '' ? {} : { start: text('start') as StartPosition }),
  };
}

function filterOf(subject: unknown): string {
  return typeof subject === 'string' && subject !== '' ? subject : '>';
}

/** The event in its place; keys in the order of the contract. The event is text already, and exact. */
function envelope(delivery: Delivery, event: string): string {
  const { subject, id, sequence, time, headers } = delivery;
  const head = JSON.stringify({ subject, id, sequence, time, headers });
  return `${head.slice(0, -1)},"event":${event}}`;
}
