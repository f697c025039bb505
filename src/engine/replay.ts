/** `replay`: history as an iterable, up to what was there at the start, at the rate that was asked for. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Parts } from './parts.ts';
import { startAt } from './start-position.ts';
import { subscribe } from './subscribing.ts';
import { MillraceError } from '../api/errors.ts';
import type { Delivery } from '../api/event.ts';
import type { ReplayOptions } from '../api/options.ts';
import type { StartAt } from '../processors/broker.ts';
import { kindsWith } from '../processors/not-supported.ts';

export async function* replay(parts: Parts, options: ReplayOptions): AsyncGenerator<Delivery> {
  const { broker } = parts;
  const { signal, rate = 'max', subject = '>', start = 'all' } = options;
  if (!broker.capabilities.replay)
    throw new MillraceError('MILLRACE_NOT_SUPPORTED', `${broker.kind} keeps no history; these kinds do: ${kindsWith.replay.join(', ')}`);
  if (typeof rate === 'number' && !(rate > 0))
    throw new MillraceError('MILLRACE_USAGE', `rate: ${rate} is no number of events per second; it must be above 0`);
  const until = options.until === undefined ? null : startAt(options.until);
  if (until !== null && until.kind !== 'sequence' && until.kind !== 'time')
    throw new MillraceError('MILLRACE_USAGE', `until: ${JSON.stringify(options.until)} is neither seq:N nor time:ISO`);
  if (broker.endsAtPresent === true) {
    yield* replayToPresent(parts, options, until);
    return;
  }
  const present = await broker.lastSequence(subject);
  const last = until?.kind === 'sequence' ? Math.min(until.sequence, present) : present;
  const untilMs = until?.kind === 'time' ? until.time.getTime() : Number.POSITIVE_INFINITY;
  if (present === 0 || !(await hasAny(parts, { subject, start, last: present }))) return;
  await using subscription = await subscribe(parts, subject, null, { start, noAck: true, ...(signal === undefined ? {} : { signal }) });
  const pace = new Pace(rate);
  for await (const delivery of subscription) {
    // Where the last one asked for is not there (any more), the end is seen at the next.
    if (delivery.sequence > last || delivery.time.getTime() > untilMs) return;
    await pace.wait(delivery, signal);
    if (signal?.aborted === true) return;
    yield delivery;
    if (delivery.sequence === last && delivery.isLastOfMessage) return;
  }
}

/** Kafka: offsets count in each partition, so no one number is the end; the read itself says when it has all that was there. */
async function* replayToPresent(parts: Parts, options: ReplayOptions, until: StartAt | null): AsyncGenerator<Delivery> {
  const { signal, rate = 'max', subject = '>', start = 'all' } = options;
  await using subscription = await subscribe(parts, subject, null, {
    start,
    noAck: true,
    toPresent: true,
    ...(signal === undefined ? {} : { signal }),
  });
  const pace = new Pace(rate);
  for await (const delivery of subscription) {
    if (until?.kind === 'sequence' ? delivery.sequence > until.sequence : until?.kind === 'time' && delivery.time > until.time) continue;
    await pace.wait(delivery, signal);
    if (signal?.aborted === true) return;
    yield delivery;
  }
}

/** Nothing at or after the start: then no message would ever come to say that it is the end. */
async function hasAny(
  parts: Parts,
  { subject, start, last }: { readonly subject: string; readonly start: NonNullable<ReplayOptions['start']>; readonly last: number },
): Promise<boolean> {
  const from = startAt(start);
  if (from.kind === 'new') return false;
  if (from.kind === 'sequence') return from.sequence <= last;
  if (from.kind !== 'time') return true;
  await using newest = await subscribe(parts, subject, null, { start: 'last', noAck: true });
  for await (const { time } of newest) return time >= from.time;
  return false;
}

class Pace {
  readonly #rate: 'max' | 'original' | number;
  readonly #startedMs: number = performance.now();
  #count = 0;
  #firstMs = 0; // Stored time of the first event.

  constructor(rate: 'max' | 'original' | number) {
    this.#rate = rate;
  }

  /** Against the clock, not the event before: what comes late is caught up with. */
  async wait(next: Delivery, signal: AbortSignal | undefined): Promise<void> {
    if (this.#rate === 'max') return;
    if (this.#count === 0) this.#firstMs = next.time.getTime();
    const dueMs = this.#rate === 'original' ? next.time.getTime() - this.#firstMs : (this.#count * 1_000) / this.#rate;
    this.#count += 1;
    const waitMs = this.#startedMs + dueMs - performance.now();
    if (waitMs > 0) await delay(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined); // Aborted: whoever iterates hears.
  }
}
