/** Turns a request to read into a reader: whose position it shares, and where that begins. */
import { MillraceError } from '../../api/errors.ts';
import { compileFilter, filterFault } from '../../api/subject-filter.ts';
import type { ConsumeRequest, MessageReceiver } from '../broker.ts';
import type { ConsumerKeeper } from './consumer-keeper.ts';
import { MemoryKeeper, StoreKeeper } from './consumer-keeper.ts';
import { newState } from './consumer-state.ts';
import { Reader } from './reader.ts';
import { scanForward, startSequence } from './scan.ts';
import type { Store } from './store.ts';
import type { Tail } from './tail.ts';

const NAME_BYTES_MAX = 512;
const DURABLE_PREFIX = 'durable:';
const QUEUE_PREFIX = 'queue:';

export interface OpenReaderOptions {
  readonly store: Store;
  readonly tail: Tail;
  readonly request: ConsumeRequest;
  readonly receiver: MessageReceiver;
  readonly onClosed: (reader: Reader) => void;
}

export async function openReader({ store, tail, request, receiver, onClosed }: OpenReaderOptions): Promise<Reader> {
  checkRequest(request);
  const matches = request.filter === '>' ? null : compileFilter(request.filter);
  const initial = newState(request.filter, await startSequence(store, request.start, matches));
  const name = positionName(request);
  const keeper = name === '' ? new MemoryKeeper(initial) : await openKeeper(new StoreKeeper(store, name, initial), request, initial.cursor);
  const scan = (state: Parameters<typeof scanForward>[1], limit: number): number[] => scanForward(store, state, matches, limit);
  const member = name.startsWith(QUEUE_PREFIX);
  return new Reader({ store, tail, keeper, request, receiver, scan, member, onClosed });
}

/** Key of the shared position in the store; '' = it is this reader's alone and ends with it. */
function positionName({ durable, queue, filter }: ConsumeRequest): string {
  if (durable !== '') return DURABLE_PREFIX + durable;
  return queue === '' ? '' : `${QUEUE_PREFIX}${queue}:${filter}`;
}

export const durableName = (key: string): string | null => (key.startsWith(DURABLE_PREFIX) ? key.slice(DURABLE_PREFIX.length) : null);

function checkRequest({ filter, durable, queue, maxInFlight, ackWaitMs, start }: ConsumeRequest): void {
  const fault = filterFault(filter);
  if (fault !== null)
    throw new MillraceError('MILLRACE_SUBJECT_INVALID', `'${filter}' is not a subject filter: ${fault}`, { context: { subject: filter } });
  for (const [option, value] of [
    ['durable', durable],
    ['queue', queue],
  ] as const) {
    if (Buffer.byteLength(value) > NAME_BYTES_MAX)
      throw usage(option, `its name has ${Buffer.byteLength(value)} B; at most ${NAME_BYTES_MAX} B`);
    if (value.includes('\0')) throw usage(option, 'its name holds a NUL character');
  }
  if (!(maxInFlight >= 1)) throw usage('maxInFlight', `${maxInFlight} is not at least 1`);
  if (!(ackWaitMs >= 1)) throw usage('ackWaitMs', `${ackWaitMs} is not at least 1`);
  if (start.kind === 'sequence' && !(Number.isSafeInteger(start.sequence) && start.sequence >= 0))
    throw usage('start', `${start.sequence} is not a sequence`);
  if (start.kind === 'time' && Number.isNaN(start.time.getTime())) throw usage('start', 'its time is not a date');
}

const usage = (option: string, reason: string): MillraceError =>
  new MillraceError('MILLRACE_USAGE', `option ${option}: ${reason}`, { context: { processor: 'embedded', option } });

/** Makes the position if it is new, so that it stands from now on; one that is there keeps its place and must have the same filter. */
async function openKeeper(keeper: StoreKeeper, request: ConsumeRequest, cursor: number): Promise<ConsumerKeeper> {
  const now = Date.now();
  await keeper.update((state) => {
    const abandoned = request.durable === '' && keeper.exists && ![...state.members.values()].some((until) => until > now);
    if (!abandoned) return !keeper.exists;
    state.cursor = cursor; // all members are gone: this is a new group under an old name
    state.pending.clear();
    state.members.clear();
    return true;
  });
  const { filter } = keeper.state;
  if (filter !== request.filter)
    throw new MillraceError(
      'MILLRACE_STREAM_MISMATCH',
      `durable '${request.durable}' reads '${filter}', not '${request.filter}'; use its filter or another name`,
      {
        context: { processor: 'embedded', option: 'durable', subject: request.filter },
      },
    );
  return keeper;
}
