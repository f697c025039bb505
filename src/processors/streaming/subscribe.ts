/** Where a subscription begins: as asked for the first time, and behind what was handed over already after a session was lost. */
import type { ConsumeRequest } from '../broker.ts';
import type { StanClient, StanSubscriptionOptions } from './stan-library.ts';

const MS_PER_SECOND = 1_000;
/** The server subtracts from its own clock, when the request has arrived: a bare difference would leave the first messages out. */
const TIME_SLACK_MS = 2_000;

/** Sent because of the slack. A position that is kept may begin before any start that is named, so nothing of it is left out. */
export const isBeforeStart = ({ start, durable, queue }: ConsumeRequest, timeMs: number): boolean =>
  start.kind === 'time' && durable === '' && queue === '' && timeMs < start.time.getTime();

export interface Position {
  /** Highest sequence handed over; 0 = none yet. */
  lastSequence: number;
  /** `performance.now()` when the read began. */
  readonly openedAtMs: number;
}

export function subscriptionOf(client: StanClient, request: ConsumeRequest, position: Position): StanSubscriptionOptions {
  const options = client
    .subscriptionOptions()
    .setManualAckMode(true)
    .setMaxInFlight(request.maxInFlight)
    // Pitfall 10: the protocol's field is an integer of seconds, and the library divides without rounding.
    .setAckWait(wholeSeconds(request.ackWaitMs));
  if (request.durable !== '') options.setDurableName(request.durable); // One that exists ignores the start.
  if (position.lastSequence > 0) return options.setStartAtSequence(position.lastSequence + 1);
  return startOf(options, request, position);
}

export const wholeSeconds = (ms: number): number => Math.max(1, Math.ceil(ms / MS_PER_SECOND)) * MS_PER_SECOND;

function startOf(options: StanSubscriptionOptions, { start }: ConsumeRequest, { openedAtMs }: Position): StanSubscriptionOptions {
  switch (start.kind) {
    case 'all':
      return options.setDeliverAllAvailable();
    case 'last':
      return options.setStartWithLastReceived();
    case 'sequence':
      return options.setStartAtSequence(Math.max(1, start.sequence));
    case 'time':
      return options.setStartAtTimeDelta(Math.max(0, Date.now() - start.time.getTime()) + TIME_SLACK_MS);
    case 'new': {
      // A session lost before the first message: what came in between is new as well. A delta, so the clocks need not agree.
      const sinceMs = performance.now() - openedAtMs;
      return sinceMs < MS_PER_SECOND ? options : options.setStartAtTimeDelta(Math.ceil(sinceMs));
    }
  }
}
