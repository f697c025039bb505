/** `subscribe`: checks what is asked against what the broker can do, and connects broker, inbound and handler. */
import { DeadLetterDesk } from './dead-letter-desk.ts';
import { Inbound } from './inbound.ts';
import type { Consumer, EventRunner } from './inbound.ts';
import { checkRequest, requestOf, resolveSubscribe } from './inbound-request.ts';
import type { ResolvedSubscribe } from './inbound-request.ts';
import { RunningSubscription } from './inbound-subscription.ts';
import { IteratedDeliveries } from './iterated-deliveries.ts';
import { Lanes } from './lanes.ts';
import type { Parts } from './parts.ts';
import { validated } from './validated-handler.ts';
import type { Handler } from '../api/event.ts';
import type { SubscribeOptions } from '../api/options.ts';
import type { Subscription } from '../api/processor.ts';

/** A runner, and what ends with the subscription. */
interface Started {
  readonly runner: EventRunner;
  release(): Promise<void> | void;
}

/** `handler` null: the subscription is to be iterated. */
export async function subscribe(parts: Parts, filter: string, handler: Handler | null, given: SubscribeOptions = {}): Promise<Subscription> { // oxlint-disable-line max-params -- mirrors the public call
  const { broker } = parts;
  checkRequest(parts, filter, given);
  const options = { ...given, ...resolveSubscribe(given) };
  const deadLetters = options.deadLetters ?? parts.options.deadLetters;
  await parts.refusals.prepare(deadLetters);
  const iterated = handler === null ? new IteratedDeliveries() : null;
  const desk = new DeadLetterDesk(parts.refusals, deadLetters, broker.stream);
  const inbound: Inbound = new Inbound({ ...options, noAck: options.noAck === true || !broker.capabilities.acks }, { desk, onEnd: (error) => running.end(error) });
  const started = start(inbound, iterated ?? { auto: true, take: validated(handler!, options.schema) }, options);
  inbound.use(started.runner);
  const running: RunningSubscription = new RunningSubscription({ filter, inbound, iterated, signal: options.signal, release: () => started.release() });
  try {
    await running.start(await broker.consume(requestOf(parts, filter, options), inbound));
  } catch (error) {
    await running.close();
    throw error;
  }
  return running;
}

function start(inbound: Inbound, consumer: Consumer, { concurrency }: ResolvedSubscribe): Started {
  return { runner: new Lanes(inbound, { consumer, concurrency }), release: () => undefined };
}
