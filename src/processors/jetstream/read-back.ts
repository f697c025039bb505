/**
 * Reads a stream from some place up to its end, without acks and with large requests, and starts again behind the last message when a
 * message is missing or the broker goes silent: what it reports as read was read, all of it. What the broker refuses it refuses again,
 * so that is not retried, and not called retryable.
 */
import { randomBytes } from 'node:crypto';
import { MillraceError, messageOf } from '../../api/errors.ts';
import { codeOf } from '../../connections/nats-errors.ts';
import type { ConsumerConfig, ConsumerInfo, JetStreamManager, Msg } from '../../connections/nats-library.ts';
import { createInbox } from '../../connections/nats-library.ts';
import type { NatsLink } from '../../connections/nats-link.ts';
import type { ReadBackRequest } from '../broker.ts';
import { ReceivedMessage } from './inbound-message.ts';
import { apiErrorOf, manager } from './stream-setup.ts';

const NANOS = 1_000_000;
const INACTIVE_MS = 30_000;
const EXPIRES_MS = 5_000;
/** Nothing heard for so long: the broker has forgotten the request. */
const SILENCE_MS_MAX = 15_000;
const BATCH = 4_096;
/** One request brings no more, and one is out at a time: with more queued for it than it reads, the server cuts a client off. */
const REQUEST_BYTES_MAX = 4 * 1_048_576;
const HEADER_BYTES_MAX = 65_536;
const ATTEMPTS_MAX = 5;
const STREAM_NOT_FOUND = 10_059;
const DENIED = 'PERMISSIONS_VIOLATION';

export interface ReadBackPlace {
  readonly link: NatsLink;
  readonly stream: string;
  readonly inboxPrefix: string;
  /** Called with each subject that the broker forbids: to a pull it sends no answer. */
  readonly denials: Set<(subject: string) => void>;
}

/** `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<ns>.<pending>`; with domain and account two more before, and one after. */
const TOKENS_SHORT = 9;

/** The newest sequence that was read or passed over; 0 when the stream is empty or missing. */
export async function readBack(place: ReadBackPlace, request: ReadBackRequest): Promise<number> {
  let last = 0; // Newest that was handed over.
  for (let attempt = 1; ; attempt++) {
    const before = last;
    try {
      return await readOnce(
        place,
        { ...request, fromSequence: last > 0 ? last + 1 : request.fromSequence },
        last > 0,
        (sequence) => (last = sequence),
      );
    } catch (error) {
      if (apiErrorOf(error)?.err_code === STREAM_NOT_FOUND) return 0;
      if (last > before) attempt = 0;
      const said = error instanceof MillraceError ? error.code : codeOf(error);
      const denied = said === DENIED || said === 'MILLRACE_AUTH';
      const refused = denied || said === 'MILLRACE_BROKER' || isRequestFault(apiErrorOf(error)?.code ?? 0);
      if (!refused && attempt < ATTEMPTS_MAX) continue;
      const { stream } = place;
      throw new MillraceError(denied ? 'MILLRACE_AUTH' : 'MILLRACE_BROKER', `cannot read back stream ${stream}: ${messageOf(error)}`, {
        cause: error,
        retryable: !refused,
        context: { stream, brokerCode: apiErrorOf(error)?.err_code ?? 0 },
      });
    }
  }
}

/** Asked again in the same way, it is answered in the same way; 408 and 429 are of the moment. */
const isRequestFault = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429;

// oxlint-disable-next-line max-params -- one call
async function readOnce(
  place: ReadBackPlace,
  request: ReadBackRequest,
  bySequence: boolean,
  took: (sequence: number) => void,
): Promise<number> {
  const jsm = await manager(place.link.connection);
  // Asked first: all up to here exists before the consumer counts what it will deliver.
  const info = await jsm.streams.info(place.stream);
  const { state } = info;
  // Stored times are the broker's: the clocks may differ.
  const aheadMs = info.ts === undefined ? 0 : Date.parse(info.ts) - Date.now();
  const consumer = await openConsumer(jsm, place.stream, { ...request, fromTimeMs: request.fromTimeMs + aheadMs }, bySequence);
  try {
    if (consumer.num_pending === 0) return state.last_seq;
    return Math.max(state.last_seq, await drain(place, consumer.name, request, took));
  } finally {
    await jsm.consumers.delete(place.stream, consumer.name).catch(() => undefined); // It forgets itself when inactive.
  }
}

/** By time, unless the sequence asked for comes before. */
async function openConsumer(jsm: JetStreamManager, stream: string, request: ReadBackRequest, bySequence: boolean): Promise<ConsumerInfo> {
  const { fromSequence, fromTimeMs, headersOnly } = request;
  const add = (start: Partial<ConsumerConfig>): Promise<ConsumerInfo> =>
    jsm.consumers.add(stream, {
      ...start,
      name: `millrace-read-back-${randomBytes(6).toString('hex')}`,
      ack_policy: 'none' as ConsumerConfig['ack_policy'],
      max_deliver: -1,
      mem_storage: true,
      num_replicas: 1,
      headers_only: headersOnly,
      inactive_threshold: INACTIVE_MS * NANOS,
    });
  type Policy = ConsumerConfig['deliver_policy'];
  const startAt = (sequence: number): Promise<ConsumerInfo> =>
    add({ deliver_policy: 'by_start_sequence' as Policy, opt_start_seq: Math.max(1, sequence) });
  if (bySequence && fromSequence !== null) return startAt(fromSequence);
  const byTime = await add({ deliver_policy: 'by_start_time' as Policy, opt_start_time: new Date(fromTimeMs).toISOString() });
  if (fromSequence === null || byTime.delivered.stream_seq + 1 <= fromSequence) return byTime;
  await jsm.consumers.delete(stream, byTime.name);
  return startAt(fromSequence);
}

/** Until a message says that none is pending after it; resolves with its sequence. */
// oxlint-disable-next-line max-params -- one call
function drain(
  { link, stream, inboxPrefix, denials }: ReadBackPlace,
  consumer: string,
  request: ReadBackRequest,
  took: (sequence: number) => void,
): Promise<number> {
  const { connection } = link;
  const inbox = createInbox(inboxPrefix);
  const subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
  const message = new ReceivedMessage();
  let left = 0;
  let expected = 1;
  let heardAtMs = performance.now();
  return new Promise<number>((resolve, reject) => {
    const subscription = connection.subscribe(inbox, { callback: (error, got) => arrived(error, got) });
    const watch = setInterval(() => {
      if (!link.up || performance.now() - heardAtMs > SILENCE_MS_MAX) end(() => reject(new Error('the broker does not answer')));
    }, 250);
    const denial = (denied: string): void => {
      if (denied === subject) end(() => reject(new MillraceError('MILLRACE_AUTH', `the broker does not permit publishing to ${subject}`)));
    };
    denials.add(denial);
    const end = (settle: () => void): void => {
      clearInterval(watch);
      denials.delete(denial);
      if (link.up) subscription.unsubscribe();
      settle();
    };
    const pull = (): void => {
      left = BATCH;
      // Never less than one message: it would be refused for ever.
      const bytes = Math.max(REQUEST_BYTES_MAX, link.payloadBytesMax + HEADER_BYTES_MAX);
      connection.publish(subject, Buffer.from(`{"batch":${BATCH},"max_bytes":${bytes},"expires":${EXPIRES_MS * NANOS}}`), { reply: inbox });
    };
    const arrived = (error: Error | null, got: Msg): void => {
      heardAtMs = performance.now();
      if (error !== null) return end(() => reject(error));
      if (got.subject === inbox) {
        const answer = statusOf(got, left === BATCH);
        if (answer === 'over') pull();
        else if (answer !== null) end(() => reject(answer));
        return;
      }
      message.take(got);
      if (message.consumerSequence !== expected) return end(() => reject(new Error('a message is missing')));
      expected++;
      left--;
      const { sequence } = message;
      try {
        request.message(message);
      } catch (thrown) {
        return end(() => reject(thrown as Error));
      }
      took(sequence);
      if (pendingAfter(got.reply ?? '') === 0) return end(() => resolve(sequence));
      if (left === 0) pull();
    };
    pull();
  });
}

/** What the broker says about a request without a message: it is over, or why it is of no use. `idle` = nothing came of it. */
function statusOf({ headers }: Msg, idle: boolean): 'over' | Error | null {
  const code = headers?.code ?? 0;
  const said = `${code} ${headers?.description ?? ''}`;
  // What was to come may have been removed meanwhile: the next consumer counts anew.
  if (code === 408) return idle ? new Error('nothing came') : 'over';
  if (code === 409 && /exceed|batch completed/i.test(said)) return 'over';
  if (code === 400) return new MillraceError('MILLRACE_BROKER', said); // It is the request: nobody will serve it.
  return code >= 400 ? new Error(said) : null;
}

/** Messages that the consumer will deliver after this one, as it was when this one left. */
function pendingAfter(reply: string): number {
  const tokens = reply.split('.');
  return Number(tokens[tokens.length === TOKENS_SHORT ? TOKENS_SHORT - 1 : TOKENS_SHORT + 1]);
}
