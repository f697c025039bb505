/** What a subscription asks for, checked before anything starts: what a broker cannot do is a typed error that names the kinds that can. */
import { startAt } from './start-position.ts';
import type { Parts } from './parts.ts';
import { validateFilter } from '../codec/subject.ts';
import { MillraceError } from '../api/errors.ts';
import type { Capabilities } from '../api/capabilities.ts';
import type { AbsentSteering, Steering } from '../../workers/inbound-steering.ts';
import type { SubscribeOptions } from '../api/options.ts';
import type { ConsumeRequest } from '../processors/broker.ts';
import { kindsWith, notSupported as refusal } from '../processors/not-supported.ts';

const DEFAULTS = { maxInFlight: 1_000, ackWaitMs: 5_000, maxAttempts: 5, backoffMs: 100, concurrency: 1 } as const;

const STEERING: Readonly<Record<Steering, string>> = {
  nak: 'take an event back (nak); a handler that throws has it tried again',
  term: 'end an event (term); a handler that throws has it tried again, and then made a dead letter',
  working: 'give a handler more time (working)',
};

export type ResolvedSubscribe = { readonly [Name in keyof typeof DEFAULTS]: number };

/** Largest value of each; the smallest is 1 (of backoffMs 0). */
const LARGEST: ResolvedSubscribe = {
  maxInFlight: 1_048_576,
  ackWaitMs: 86_400_000,
  maxAttempts: 1_000_000,
  backoffMs: 60_000,
  concurrency: 65_536,
};

/** Defaults where nothing is given; one error that lists every number that is out of range. */
export function resolveSubscribe(options: SubscribeOptions): ResolvedSubscribe {
  const resolved: Record<string, number> = {};
  const faults: string[] = [];
  for (const name of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    const value: unknown = options[name] ?? DEFAULTS[name];
    const smallest = name === 'backoffMs' ? 0 : 1;
    resolved[name] = value as number;
    if (!Number.isInteger(value) || (value as number) < smallest || (value as number) > LARGEST[name]) {
      faults.push(`${name}: ${String(value)} is no whole number from ${smallest} to ${LARGEST[name]}`);
    }
  }
  if (faults.length > 0) throw new MillraceError('MILLRACE_USAGE', faults.join('; '));
  return resolved as ResolvedSubscribe;
}

/** What a caller may ask, and what only `replay` does: to end after all that is stored now. */
export interface InternalSubscribe extends SubscribeOptions {
  readonly toPresent?: boolean;
}

export function requestOf({ broker }: Parts, filter: string, options: InternalSubscribe & ResolvedSubscribe): ConsumeRequest {
  return {
    filter,
    durable: options.durable ?? '',
    queue: options.queue ?? '',
    start: startAt(options.start ?? (broker.capabilities.replay ? 'all' : 'new')),
    maxInFlight: options.maxInFlight,
    ackWaitMs: options.ackWaitMs,
    noAck: options.noAck === true,
    confirmAcks: options.confirmAcks === true,
    toPresent: options.toPresent === true,
  };
}

/** What a handler cannot ask of this broker, in words. */
export function absentSteering({ kind, capabilities }: Pick<Parts['broker'], 'kind' | 'capabilities'>): AbsentSteering {
  const absent = (Object.keys(STEERING) as Steering[]).filter((name) => !capabilities[name]);
  return { kind, messages: Object.fromEntries(absent.map((name) => [name, refusal(kind, STEERING[name], name).message])) };
}

export function checkRequest({ broker }: Parts, filter: string, options: SubscribeOptions): void {
  const fault = validateFilter(filter);
  if (fault !== null) throw new MillraceError('MILLRACE_SUBJECT_INVALID', `filter ${JSON.stringify(filter)}: ${fault}`);
  const needs: [boolean, keyof Capabilities, string][] = [
    [options.durable !== undefined && options.durable !== '', 'durable', 'keep a durable position'],
    [options.queue !== undefined && options.queue !== '', 'queueGroups', 'share the work of a queue'],
    [/[*>]/.test(filter), 'wildcards', `read the wildcard filter ${filter}`],
    [options.start !== undefined && options.start !== 'new', 'replay', `start at ${options.start ?? ''}`],
    [options.confirmAcks === true, 'acks', 'confirm acks'],
  ];
  for (const [asked, capability, what] of needs) {
    if (asked && !broker.capabilities[capability]) throw notSupported(broker.kind, what, kindsWith[capability].join(', '));
  }
  if (options.confirmAcks === true && options.noAck === true)
    throw new MillraceError('MILLRACE_USAGE', 'confirmAcks and noAck exclude each other');
}

function notSupported(kind: string, what: string, kinds: string): MillraceError {
  return new MillraceError('MILLRACE_NOT_SUPPORTED', `${kind} cannot ${what}; these kinds can: ${kinds}`);
}
