/** From parsed values to the resolved options: what must fit together is checked here, and every member is filled. */
import type { ProcessorKind } from '../api/capabilities.ts';
import type { Framing } from '../api/event.ts';
import type { IdRule, OnFull } from '../api/options.ts';
import type { Faults } from './faults.ts';
import { silentLogger } from './logger.ts';
import type { OptionValue } from './parse.ts';
import type { ResolvedOptions } from './resolved.ts';
import type { ConnectOptionName } from './table.ts';
import { printSize, printTime } from './units.ts';
import { printTarget, schemeOf, schemes } from './url.ts';

type Values = Readonly<Record<string, OptionValue>>;

const MIB = 1_048_576;
const RING_BYTES_MAX = 1_024 * MIB;

export interface Together {
  readonly kind: ProcessorKind;
  readonly values: Values;
  readonly origins: Readonly<Record<string, { readonly from: string }>>;
  readonly port: number;
}

/** Faults that no single value has. */
export function checkTogether({ kind, values, origins }: Together, faults: Faults): void {
  const { place, example } = schemes[schemeOf(kind)]!;
  const from = (name: ConnectOptionName): string => origins[name]?.from ?? name;
  if (kind !== 'embedded' && kind !== 'simple' && values['stream'] === '')
    faults.add('stream', `${kind} needs a ${place.toLowerCase()}`, `expected a URL such as ${example}, or the option stream`);
  if (kind === 'streaming' || kind === 'dedupe' || kind === 'jetstream') checkDots(kind, String(values['stream']), from('stream'), faults);
  if ((values['cert'] === '') !== (values['key'] === ''))
    faults.add(from(values['cert'] === '' ? 'key' : 'cert'), 'cert and key belong together', 'give both');
  const given = (['user', 'token', 'nkey', 'creds'] as const).filter((name) => values[name] !== '');
  if (given.length > 1) faults.add(from(given[1]!), `${given.join(' and ')} are two ways to sign in`, 'give one');
  if (values['password'] !== '' && values['user'] === '') faults.add(from('password'), 'a password without a user', 'give the option user');
  const ring = Number(values['slabs']) * Number(values['slabBytes']);
  if (ring > RING_BYTES_MAX)
    faults.add(from('slabs'), `slabs × slabBytes is ${printSize(ring)}`, `expected at most ${printSize(RING_BYTES_MAX)}`);
  if (Number(values['backoffMax']) < Number(values['backoff']))
    faults.add(
      from('backoffMax'),
      `${printTime(Number(values['backoffMax']))} is less than backoff, ${printTime(Number(values['backoff']))}`,
      'raise it, or lower backoff',
    );
}

/** Kafka allows dots in a name and NATS does not. */
function checkDots(kind: ProcessorKind, stream: string, from: string, faults: Faults): void {
  if (stream.includes('.')) faults.add(from, `"${stream}" has a dot, which ${kind} does not allow`, 'expected letters, digits, - and _');
}

export function toResolved(kind: ProcessorKind, values: Values, port: number): ResolvedOptions {
  const text = (name: ConnectOptionName): string => String(values[name]);
  const number = (name: ConnectOptionName): number => Number(values[name]);
  const yes = (name: ConnectOptionName): boolean => values[name] === true;
  const list = (name: ConnectOptionName): readonly string[] => (Array.isArray(values[name]) ? values[name] : []);
  const given = list('servers');
  const servers = kind === 'embedded' ? [] : given.length > 0 ? given : [`127.0.0.1:${port}`];
  const place = { kind, servers, path: text('path'), stream: kind === 'embedded' || kind === 'simple' ? '' : text('stream') };
  return {
    ...place,
    url: printTarget(place, text('user') !== '' || text('token') !== ''),
    clientId: text('clientId'),
    name: text('name'),
    connections: number('connections'),
    user: text('user'),
    password: text('password'),
    token: text('token'),
    nkey: text('nkey'),
    creds: text('creds'),
    tls: text('tls') as ResolvedOptions['tls'],
    ca: text('ca'),
    cert: text('cert'),
    key: text('key'),
    insecure: yes('insecure'),
    inboxPrefix: text('inboxPrefix'),
    connectTimeoutMs: number('connectTimeout'),
    reconnect: yes('reconnect'),
    reconnectTimeoutMs: number('reconnectTimeout'),
    pingIntervalMs: number('pingInterval'),
    createStream: yes('createStream'),
    subjects: list('subjects'),
    replicas: number('replicas'),
    storage: text('storage') as ResolvedOptions['storage'],
    maxAgeMs: number('maxAge'),
    maxBytes: number('maxBytes'),
    maxMessages: number('maxMessages'),
    dedupeWindowMs: number('dedupeWindow'),
    partitions: number('partitions'),
    compression: text('compression') as ResolvedOptions['compression'],
    ...pipelineValues(values),
    ...deliveryValues(values),
    logger: silentLogger,
  };
}

function pipelineValues(
  values: Values,
): Pick<
  ResolvedOptions,
  | 'workers'
  | 'slabs'
  | 'slabBytes'
  | 'maxEventBytes'
  | 'batchBytes'
  | 'batchEvents'
  | 'lingerMs'
  | 'dedupeCapacity'
  | 'id'
  | 'framing'
  | 'ordering'
  | 'onFull'
  | 'workerTimeoutMs'
  | 'workerHeapMiB'
> {
  const number = (name: ConnectOptionName): number => Number(values[name]);
  return {
    workers: number('workers'),
    slabs: number('slabs'),
    slabBytes: number('slabBytes'),
    maxEventBytes: number('maxEventBytes'),
    batchBytes: number('batchBytes'),
    batchEvents: number('batchEvents'),
    lingerMs: number('lingerMs'),
    dedupeCapacity: number('dedupeCapacity'),
    id: values['id'] === '' ? null : (values['id'] as IdRule),
    framing: values['framing'] === '' ? null : (values['framing'] as Framing),
    ordering: values['ordering'] as 'relaxed' | 'strict',
    onFull: values['onFull'] as OnFull,
    workerTimeoutMs: number('workerTimeout'),
    workerHeapMiB: Math.ceil(number('workerHeap') / MIB),
  };
}

function deliveryValues(
  values: Values,
): Pick<
  ResolvedOptions,
  | 'maxInFlightBytes'
  | 'maxInFlightMessages'
  | 'publishTimeoutMs'
  | 'maxAttempts'
  | 'backoffMs'
  | 'backoffMaxMs'
  | 'resendUnknown'
  | 'drainTimeoutMs'
  | 'deadLetters'
> {
  const number = (name: ConnectOptionName): number => Number(values[name]);
  return {
    maxInFlightBytes: number('maxInFlightBytes'),
    maxInFlightMessages: number('maxInFlightMessages'),
    publishTimeoutMs: number('publishTimeout'),
    maxAttempts: number('maxAttempts'),
    backoffMs: number('backoff'),
    backoffMaxMs: number('backoffMax'),
    resendUnknown: values['resendUnknown'] === true,
    drainTimeoutMs: number('drainTimeout'),
    deadLetters: String(values['deadLetters']),
  };
}
