/** `subscribe`: checks what is asked against what the broker can do, and connects broker, inbound and handler. */
import { DeadLetterDesk } from './dead-letter-desk.ts';
import { Inbound } from './inbound.ts';
import type { Consumer, EventRunner } from './inbound.ts';
import { absentSteering, checkRequest, requestOf, resolveSubscribe } from './inbound-request.ts';
import type { InternalSubscribe, ResolvedSubscribe } from './inbound-request.ts';
import { HandlerPool } from './inbound-pool.ts';
import { LANES_MAX } from './inbound-lane.ts';
import { InboundSlabs } from './inbound-slabs.ts';
import { RunningSubscription } from './inbound-subscription.ts';
import { IteratedDeliveries } from './iterated-deliveries.ts';
import { Lanes } from './lanes.ts';
import type { Parts } from './parts.ts';
import { validated } from './validated-handler.ts';
import { loadHandler } from '../../workers/inbound-handler.ts';
import { MillraceError, wrapError } from '../api/errors.ts';
import type { Handler, ModuleReference, WorkerHandler } from '../api/event.ts';
import type { SubscribeOptions } from '../api/options.ts';
import type { Subscription } from '../api/processor.ts';

/** So that a worker has its next slab while main is busy. */
const LANES_PER_WORKER = 2;

/** A runner, and what ends with the subscription. */
interface Started {
  readonly runner: EventRunner;
  release(): Promise<void> | void;
}

/** `handler` null: the subscription is to be iterated. */
export async function subscribe(
  parts: Parts,
  filter: string,
  handler: Handler | WorkerHandler | null,
  given: InternalSubscribe = {},
): Promise<Subscription> {
  // oxlint-disable-line max-params -- mirrors the public call
  const { broker } = parts;
  checkRequest(parts, filter, given);
  const options = { ...given, ...resolveSubscribe(given) };
  const deadLetters = options.deadLetters ?? parts.options.deadLetters;
  await parts.refusals.prepare(deadLetters);
  const noAck = options.noAck === true || !broker.capabilities.acks;
  const iterated = handler === null ? new IteratedDeliveries({ noAck }) : null;
  const desk = new DeadLetterDesk(parts.refusals, deadLetters, broker.stream);
  const absent = absentSteering(broker);
  const inbound: Inbound = new Inbound({ ...options, noAck }, { desk, onEnd: (error) => running.end(error), absent });
  const started =
    iterated !== null || typeof handler === 'function'
      ? here(inbound, iterated ?? consumerOf(handler as Handler, options), options)
      : await inWorkers(parts, inbound, { handler: handler!, options, given });
  inbound.use(started.runner);
  const running: RunningSubscription = new RunningSubscription({
    filter,
    inbound,
    iterated,
    signal: options.signal,
    release: () => started.release(),
  });
  try {
    await running.start(await broker.consume(requestOf(parts, filter, options), inbound));
  } catch (error) {
    await running.close();
    throw error;
  }
  return running;
}

function consumerOf(handler: Handler, { schema }: SubscribeOptions): Consumer {
  return { auto: true, take: validated(handler, schema) };
}

function here(inbound: Inbound, consumer: Consumer, { concurrency }: ResolvedSubscribe): Started {
  return { runner: new Lanes(inbound, { consumer, concurrency }), release: () => undefined };
}

/** Without workers the module's handler runs here, as everything does then. */
async function inWorkers(
  parts: Parts,
  inbound: Inbound,
  asked: { readonly handler: WorkerHandler; readonly options: SubscribeOptions & ResolvedSubscribe; readonly given: SubscribeOptions },
): Promise<Started> {
  const { options, given } = asked;
  const { workers, slabBytes, maxEventBytes } = parts.options;
  const { module, export: name } = asked.handler;
  const handler: ModuleReference = { module: String(module), ...(name === undefined ? {} : { export: name }) }; // A URL cannot be sent to a thread.
  if (workers === 0) return here(inbound, consumerOf(await loadHandler(handler), options), options);
  if (options.schema !== undefined)
    throw new MillraceError('MILLRACE_USAGE', 'schema: a schema cannot be sent to a worker; check the event in the handler module');
  const pool = HandlerPool.of(parts);
  const release = (): Promise<void> => pool.release(parts);
  try {
    await pool.check(handler);
    const concurrency = Math.min(LANES_MAX, given.concurrency ?? LANES_PER_WORKER * workers);
    const { messageBytesMax } = parts.broker.limits();
    return {
      runner: new InboundSlabs(inbound, {
        pool,
        handler,
        absent: absentSteering(parts.broker),
        concurrency,
        slabBytes,
        maxEventBytes,
        messageBytesMax,
      }),
      release,
    };
  } catch (error) {
    await release();
    throw wrapError('MILLRACE_USAGE', error);
  }
}
