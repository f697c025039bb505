/** Finds messages by subject and by time. There is no index: sequences are in order and have no gaps, so time is found by halving, subjects by looking. */
import type { SubjectFilter } from '../../api/subject-filter.ts';
import type { StartAt } from '../broker.ts';
import type { ConsumerState } from './consumer-state.ts';
import { RecordView } from './record.ts';
import type { Store } from './store.ts';
import { firstSequence, readHead, readRecord } from './store.ts';

/** Records looked at in one go, so that a filter that matches little does not hold the event loop. */
const SCAN_RECORDS_MAX = 1_024;
/** Clocks of two writing processes may differ by this many records' worth. */
const TIME_SLACK_RECORDS = 256;

/** Matching sequences from the state's cursor on; moves the cursor over what it looked at, gaps made by retention included. */
export function scanForward(store: Store, state: ConsumerState, matches: SubjectFilter | null, limit: number): number[] {
  const { next } = readHead(store);
  if (state.cursor >= next) return [];
  const first = firstSequence(store, next);
  if (state.cursor < first) state.cursor = first;
  const found: number[] = [];
  const end = Math.min(next, state.cursor + SCAN_RECORDS_MAX);
  const view = new RecordView();
  while (state.cursor < end && found.length < limit) {
    const sequence = state.cursor++;
    if (matches === null || (readRecord(store, sequence, view) && matches(view.subject()))) found.push(sequence);
  }
  return found;
}

/** Newest sequence that matches; 0 when there is none. Gives the event loop a turn now and then. */
export async function scanBackward(store: Store, matches: SubjectFilter | null): Promise<number> {
  const { next } = readHead(store);
  const first = firstSequence(store, next);
  if (matches === null) return next > first ? next - 1 : 0;
  const view = new RecordView();
  for (let sequence = next - 1; sequence >= first; sequence--) {
    if (!readRecord(store, sequence, view)) return 0; // retention has come this far
    if (matches(view.subject())) return sequence;
    if (sequence % SCAN_RECORDS_MAX === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return 0;
}

/** First sequence stored at `timeMs` or later; the head's next when there is none. */
export function sequenceAtTime(store: Store, timeMs: number): number {
  const { next } = readHead(store);
  const first = firstSequence(store, next);
  const view = new RecordView();
  const timeOf = (sequence: number): number => (readRecord(store, sequence, view) ? view.timeMs : -Infinity);
  let low = first;
  let high = next;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    if (timeOf(middle) < timeMs) low = middle + 1;
    else high = middle;
  }
  // Within one process times never go back; with several they may by their clocks' difference: rather too early than too late.
  const floor = Math.max(first, low - TIME_SLACK_RECORDS);
  for (let sequence = floor; sequence < low; sequence++) if (timeOf(sequence) >= timeMs) return sequence;
  return low;
}

/** First sequence to look at. */
export async function startSequence(store: Store, start: StartAt, matches: SubjectFilter | null): Promise<number> {
  const { next } = readHead(store);
  if (start.kind === 'new') return next;
  if (start.kind === 'all') return firstSequence(store, next);
  if (start.kind === 'sequence') return Math.max(1, start.sequence);
  if (start.kind === 'time') return sequenceAtTime(store, start.time.getTime());
  return (await scanBackward(store, matches)) || next;
}
