/** `replay`: history as an iterable, up to what was there at the start, at the rate that was asked for. */
import { once } from 'node:events';
import type { Parts } from './parts.ts';
import { startAt } from './start-position.ts';
import { subscribe } from './subscribing.ts';
import { MillraceError } from '../api/errors.ts';
import type { Delivery } from '../api/event.ts';
import type { ReplayOptions } from '../api/options.ts';

export async function* replay(parts: Parts, options: ReplayOptions): AsyncGenerator<Delivery> {
  const { broker } = parts;
  const { signal, rate = 'max', subject = '>' } = options;
  if (!broker.capabilities.replay) throw new MillraceError('MILLRACE_NOT_SUPPORTED', `${broker.kind} keeps no history; these kinds do: embedded, jetstream, dedupe, streaming, kafka`);
  const until = options.until === undefined ? null : startAt(options.until);
  const last = until?.kind === 'sequence' ? until.sequence : await broker.lastSequence(subject);
  const untilMs = until?.kind === 'time' ? until.time.getTime() : Number.POSITIVE_INFINITY;
  if (last === 0) return;
  await using subscription = await subscribe(parts, subject, null, { start: options.start ?? 'all', noAck: true, ...(signal === undefined ? {} : { signal }) });
  const pace = new Pace(rate);
  let previous: Delivery | null = null;
  for await (const delivery of subscription) {
    // A message's events come together: the end is seen at the first event of the one after it, or waited for no longer than it takes to know.
    if (delivery.sequence > last || delivery.time.getTime() > untilMs) return;
    await pace.wait(previous, delivery, signal);
    previous = delivery;
    yield delivery;
    if (delivery.sequence === last && delivery.isLastOfMessage) return;
  }
}

class Pace {
  readonly #rate: 'max' | 'original' | number;
  readonly #startedMs: number = performance.now();
  #count = 0;

  constructor(rate: 'max' | 'original' | number) {
    this.#rate = rate;
  }

  async wait(previous: Delivery | null, next: Delivery, signal: AbortSignal | undefined): Promise<void> {
    this.#count += 1;
    if (this.#rate === 'max') return;
    const waitMs = this.#rate === 'original'
      ? (previous === null ? 0 : next.time.getTime() - previous.time.getTime())
      : this.#startedMs + ((this.#count - 1) * 1_000) / this.#rate - performance.now();
    if (waitMs <= 0) return;
    const timer = new Promise<void>((resolve) => setTimeout(resolve, waitMs));
    await (signal === undefined ? timer : Promise.race([timer, once(signal, 'abort')]));
  }
}
