/** Finds or makes the consumer a reader pulls from, and makes a lost one again where it was. */
import { MillraceError, messageOf } from '../../api/errors.ts';
import type { ConsumerConfig, JetStreamManager, NatsConnection } from '../../connections/nats-library.ts';
import type { ConsumeRequest, StartAt } from '../broker.ts';
import { apiErrorOf, manager } from './stream-setup.ts';
import { covers, overlaps } from './subject-cover.ts';

const NANOS = 1_000_000;
const CONSUMER_NOT_FOUND = 10_014;
const STREAM_NOT_FOUND = 10_059;
/** How long a reader without a name may be away: longer than a broker's restart, short enough not to pile up after crashes. */
const INACTIVE_MS = 300_000;
/** A shared consumer's limit counts all its readers; each bounds itself by what it asks for. */
const SHARED_ACK_PENDING_MIN = 10_000;

export interface ConsumerPlace {
  readonly name: string;
  /** Stream sequence before the first that it will deliver. */
  readonly deliveredSequence: number;
  readonly shared: boolean;
}

/** `durable` names the consumer; a queue group is a durable of that name shared by its members. */
export const durableOf = ({ durable, queue }: ConsumeRequest): string => (durable === '' ? queue : durable);

export async function openConsumer(connection: NatsConnection, stream: string, request: ConsumeRequest): Promise<ConsumerPlace> {
  const name = durableOf(request);
  if (/[\s.*>/\\]/.test(name))
    throw new MillraceError('MILLRACE_USAGE', `'${name}' cannot name a durable or queue: no spaces, dots, wildcards or slashes`);
  const jsm = await manager(connection);
  const present = name === '' ? null : await findConsumer(jsm, stream, name);
  if (present !== null) {
    mustMatch(present.config, request, name);
    return { name, deliveredSequence: present.delivered.stream_seq, shared: true };
  }
  return makeConsumer(jsm, stream, request, request.start);
}

/** Is it still there? Null: no. */
export async function findConsumer(
  jsm: JetStreamManager,
  stream: string,
  name: string,
): Promise<Awaited<ReturnType<JetStreamManager['consumers']['info']>> | null> {
  try {
    return await jsm.consumers.info(stream, name);
  } catch (error) {
    const code = apiErrorOf(error)?.err_code;
    if (code === CONSUMER_NOT_FOUND) return null;
    if (code === STREAM_NOT_FOUND) throw streamGone(stream);
    throw error;
  }
}

export async function makeConsumer(jsm: JetStreamManager, stream: string, request: ConsumeRequest, start: StartAt): Promise<ConsumerPlace> {
  const durable = durableOf(request);
  const config: Partial<ConsumerConfig> = {
    ...startConfig(start),
    ack_policy: (request.noAck ? 'none' : 'explicit') as ConsumerConfig['ack_policy'],
    max_deliver: -1,
  };
  if (request.filter !== '>') config.filter_subject = request.filter;
  if (durable === '') config.inactive_threshold = INACTIVE_MS * NANOS;
  else config.durable_name = durable;
  if (!request.noAck) {
    config.ack_wait = request.ackWaitMs * NANOS;
    config.max_ack_pending = durable === '' ? request.maxInFlight : Math.max(SHARED_ACK_PENDING_MIN, request.maxInFlight);
  }
  try {
    const info = await jsm.consumers.add(stream, config);
    return { name: info.name, deliveredSequence: info.delivered.stream_seq, shared: durable !== '' };
  } catch (error) {
    const code = apiErrorOf(error)?.err_code;
    if (code === STREAM_NOT_FOUND) throw streamGone(stream);
    if (code === undefined) throw error;
    throw new MillraceError('MILLRACE_BROKER', `stream ${stream} gives no consumer for ${request.filter}: ${messageOf(error)} (${code})`, {
      cause: error,
      retryable: code === 10_008,
      context: { stream, subject: request.filter, brokerCode: code },
    });
  }
}

export const streamGone = (stream: string): MillraceError =>
  new MillraceError('MILLRACE_STREAM_MISSING', `stream ${stream} is not there any more`, { context: { stream } });

/** Nothing that the stream could hold passes the filter: a reader would wait for ever. */
export const filterOutside = (subjects: readonly string[], filter: string): boolean =>
  !subjects.some((pattern) => covers(pattern, filter) || overlaps(pattern, filter));

function startConfig(start: StartAt): Partial<ConsumerConfig> {
  type Policy = ConsumerConfig['deliver_policy'];
  if (start.kind === 'sequence') return { deliver_policy: 'by_start_sequence' as Policy, opt_start_seq: Math.max(1, start.sequence) };
  if (start.kind === 'time') return { deliver_policy: 'by_start_time' as Policy, opt_start_time: start.time.toISOString() };
  return { deliver_policy: start.kind as Policy };
}

function mustMatch(config: ConsumerConfig, request: ConsumeRequest, name: string): void {
  const filter = config.filter_subject ?? '>';
  const faults: string[] = [];
  if (filter !== request.filter) faults.push(`it reads ${filter}, asked for is ${request.filter}`);
  if (config.deliver_subject !== undefined) faults.push('it pushes, and only pull consumers are read');
  if ((config.ack_policy === 'none') !== request.noAck) faults.push(`its ack policy is ${config.ack_policy}`);
  if (faults.length === 0) return;
  throw new MillraceError('MILLRACE_STREAM_MISMATCH', `the durable ${name} exists, but ${faults.join('; ')}`, {
    context: { subject: request.filter, option: 'durable' },
  });
}
