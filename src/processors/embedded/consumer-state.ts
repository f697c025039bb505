/**
 * What a named read position remembers, as pure data: how far it has handed out, and what is handed out and not yet done. A
 * claim is a lease: when its time passes, any reader of the name may take the message. Changes are plain functions of the
 * state, so that they can be applied again when another process wrote first.
 */

export interface Pending {
  /** Times it was handed over. */
  deliveries: number;
  /** From then on (milliseconds since 1970) anyone may take it: end of the lease, or of the delay of a nak. */
  visibleAt: number;
  /** Number of the reader that holds it; 0 = nobody. */
  owner: number;
}

export interface ConsumerState {
  readonly filter: string;
  /** Next sequence never looked at. */
  cursor: number;
  readonly pending: Map<number, Pending>;
  /** Queue groups without a durable name live as long as a member does: reader → when it counts as gone. */
  readonly members: Map<number, number>;
}

/** One handing over; also the handle of the message. */
export interface Claim {
  readonly sequence: number;
  readonly deliveries: number;
  /** It was acked, nak'd or termed: what comes later does not count. */
  settled: boolean;
}

export type Change =
  | { readonly kind: 'done'; readonly sequence: number }
  | { readonly kind: 'again' | 'extend'; readonly sequence: number; readonly atMs: number };

export const newState = (filter: string, cursor: number): ConsumerState => ({ filter, cursor, pending: new Map(), members: new Map() });

/** All up to and including it are done. */
export function positionOf(state: ConsumerState): number {
  let lowest = state.cursor;
  for (const sequence of state.pending.keys()) if (sequence < lowest) lowest = sequence;
  return lowest - 1;
}

/** When the next message becomes free for anyone; Infinity = nothing is handed out. */
export function nextDue(state: ConsumerState): number {
  let due = Infinity;
  for (const { visibleAt } of state.pending.values()) if (visibleAt < due) due = visibleAt;
  return due;
}

/** A change to a message that is no longer pending is an answer that came too late: ignored. */
export function applyChanges(state: ConsumerState, changes: readonly Change[], owner: number): void {
  for (const change of changes) {
    const pending = state.pending.get(change.sequence);
    if (pending === undefined) continue;
    if (change.kind === 'done') state.pending.delete(change.sequence);
    else if (pending.owner === owner) {
      pending.visibleAt = change.atMs;
      if (change.kind === 'again') pending.owner = 0;
    }
  }
}

export interface ClaimRequest {
  readonly owner: number;
  readonly limit: number;
  readonly nowMs: number;
  readonly ackWaitMs: number;
  /** Nothing is remembered: handed over is done. */
  readonly noAck: boolean;
  /** Matching sequences from the cursor on, at most `limit`; moves the cursor over what it looked at. */
  readonly scan: (state: ConsumerState, limit: number) => readonly number[];
}

/** Takes what is due, oldest first, then what is new. */
export function claim(state: ConsumerState, request: ClaimRequest): Claim[] {
  const { owner, nowMs, ackWaitMs, noAck } = request;
  const visibleAt = nowMs + ackWaitMs;
  const due: number[] = [];
  for (const [sequence, pending] of state.pending) if (pending.visibleAt <= nowMs) due.push(sequence);
  if (due.length > 1) due.sort((a, b) => a - b);
  const claims = due.slice(0, request.limit).map((sequence): Claim => {
    const pending = state.pending.get(sequence)!;
    pending.deliveries++;
    pending.visibleAt = visibleAt;
    pending.owner = owner;
    return { sequence, deliveries: pending.deliveries, settled: false };
  });
  if (claims.length === request.limit) return claims;
  for (const sequence of request.scan(state, request.limit - claims.length)) {
    if (!noAck) state.pending.set(sequence, { deliveries: 1, visibleAt, owner });
    claims.push({ sequence, deliveries: 1, settled: false });
  }
  return claims;
}

/** The reader leaves: what it holds is free at once. */
export function release(state: ConsumerState, owner: number, nowMs: number): void {
  state.members.delete(owner);
  for (const pending of state.pending.values()) {
    if (pending.owner !== owner) continue;
    pending.owner = 0;
    pending.visibleAt = nowMs;
  }
}

const FORMAT = 1;
const FIXED_BYTES = 24;
const PENDING_BYTES = 24;
const MEMBER_BYTES = 16;

/** u8 format · 3 × 0 · u32 filter bytes · f64 cursor · u32 pending · u32 members · pendings · members · filter (little endian). */
export function encodeState(state: ConsumerState): Buffer {
  const { filter, pending, members } = state;
  const filterBytes = Buffer.byteLength(filter);
  const bytes = Buffer.alloc(FIXED_BYTES + pending.size * PENDING_BYTES + members.size * MEMBER_BYTES + filterBytes);
  bytes[0] = FORMAT;
  bytes.writeUInt32LE(filterBytes, 4);
  bytes.writeDoubleLE(state.cursor, 8);
  bytes.writeUInt32LE(pending.size, 16);
  bytes.writeUInt32LE(members.size, 20);
  let at = FIXED_BYTES;
  for (const [sequence, { deliveries, visibleAt, owner }] of pending) {
    bytes.writeDoubleLE(sequence, at);
    bytes.writeDoubleLE(visibleAt, at + 8);
    bytes.writeUInt32LE(deliveries, at + 16);
    bytes.writeUInt32LE(owner, at + 20);
    at += PENDING_BYTES;
  }
  for (const [member, until] of members) {
    bytes.writeDoubleLE(member, at);
    bytes.writeDoubleLE(until, at + 8);
    at += MEMBER_BYTES;
  }
  bytes.write(filter, at);
  return bytes;
}

/** Throws on bytes that are not a state of this format. */
export function decodeState(bytes: Buffer): ConsumerState {
  if (bytes.length < FIXED_BYTES || bytes[0] !== FORMAT)
    throw new Error(`a durable's state has format ${bytes[0] ?? 'none'}, not ${FORMAT}`);
  const filterBytes = bytes.readUInt32LE(4);
  const pendingCount = bytes.readUInt32LE(16);
  const memberCount = bytes.readUInt32LE(20);
  const filterStart = FIXED_BYTES + pendingCount * PENDING_BYTES + memberCount * MEMBER_BYTES;
  if (filterStart + filterBytes !== bytes.length)
    throw new Error(`a durable's state has ${bytes.length} B, its counts say ${filterStart + filterBytes} B`);
  const state = newState(bytes.toString('utf8', filterStart), bytes.readDoubleLE(8));
  let at = FIXED_BYTES;
  for (let left = pendingCount; left > 0; left--, at += PENDING_BYTES)
    state.pending.set(bytes.readDoubleLE(at), {
      visibleAt: bytes.readDoubleLE(at + 8),
      deliveries: bytes.readUInt32LE(at + 16),
      owner: bytes.readUInt32LE(at + 20),
    });
  for (let left = memberCount; left > 0; left--, at += MEMBER_BYTES) state.members.set(bytes.readDoubleLE(at), bytes.readDoubleLE(at + 8));
  return state;
}
