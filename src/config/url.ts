/** Reads a connection URL or a kind name into option values by name; every fault of it is collected, none is thrown. */
import type { ProcessorKind } from '../api/capabilities.ts';
import { processorKinds } from '../api/capabilities.ts';
import type { Faults } from './faults.ts';
import { nearestName } from './nearest.ts';
import { decode } from './percent.ts';
import { REDACTED, redactUrl } from './redact.ts';
import { readServers } from './servers.ts';

export interface SchemeRow {
  readonly kind: ProcessorKind;
  /** What comes after the servers; '' = nothing may. */
  readonly place: string;
  readonly port: number;
  readonly example: string;
}

export const schemes: Readonly<Record<string, SchemeRow>> = {
  embedded: { kind: 'embedded', place: 'PATH', port: 0, example: 'embedded:.millrace' },
  nats: { kind: 'simple', place: '', port: 4_222, example: 'nats://127.0.0.1:4222' },
  'nats+jetstream': { kind: 'jetstream', place: 'STREAM', port: 4_222, example: 'nats+jetstream://127.0.0.1:4222/EVENTS' },
  'nats+dedupe': { kind: 'dedupe', place: 'STREAM', port: 4_222, example: 'nats+dedupe://127.0.0.1:4222/EVENTS' },
  stan: { kind: 'streaming', place: 'CLUSTER', port: 4_222, example: 'stan://127.0.0.1:4222/test-cluster' },
  kafka: { kind: 'kafka', place: 'TOPIC', port: 9_092, example: 'kafka://127.0.0.1:9092/events' },
};

/** The scheme of a kind: the inverse of `schemes`. */
export function schemeOf(kind: ProcessorKind): string {
  return Object.keys(schemes).find((scheme) => schemes[scheme]!.kind === kind)!;
}

export interface Target {
  /** Null when the scheme or the name is unknown; the fault is collected. */
  readonly kind: ProcessorKind | null;
  /** servers, path, stream, user, password, token: by the parts of the URL. */
  readonly parts: ReadonlyMap<string, string>;
  /** The query, in its order; a name may be there twice. */
  readonly query: readonly (readonly [string, string])[];
}

const SCHEME = /^([a-z][a-z0-9+.-]*):(.*)$/is;

export function parseTarget(text: string, from: string, faults: Faults): Target {
  const nothing: Target = { kind: null, parts: new Map(), query: [] };
  const trimmed = text.trim();
  const named = processorKinds.find((kind) => kind === trimmed);
  if (named !== undefined) return { ...nothing, kind: named };
  const match = SCHEME.exec(trimmed);
  const scheme = match?.[1]?.toLowerCase() ?? '';
  const row = Object.hasOwn(schemes, scheme) ? schemes[scheme]! : null;
  if (match === null || row === null) {
    faults.add(
      from,
      match === null ? `"${redactUrl(trimmed)}" is no connection URL` : `unknown scheme "${scheme}:" in "${redactUrl(trimmed)}"`,
      schemeAdvice(scheme || trimmed),
    );
    return { ...nothing, query: queryOf(splitQuery(match?.[2] ?? '').query, from, faults) };
  }
  const { body, query } = splitQuery(match[2]!);
  if (row.kind !== 'embedded' && hasStrayAt(body, query)) {
    faults.add(from, 'an @ comes after the first / or ?', 'in a user, password or token write / as %2F, ? as %3F, @ as %40');
    return { ...nothing, kind: row.kind };
  }
  const parts = row.kind === 'embedded' ? embeddedParts(body) : networkParts({ body, row, scheme }, from, faults);
  return { kind: row.kind, parts, query: queryOf(query, from, faults) };
}

/** The canonical URL of a resolved target, safe to print. */
export function printTarget(
  target: { readonly kind: ProcessorKind; readonly servers: readonly string[]; readonly path: string; readonly stream: string },
  secret: boolean,
): string {
  if (target.kind === 'embedded') return `embedded:${target.path}`;
  const place = target.kind === 'simple' ? '' : `/${target.stream}`;
  return `${schemeOf(target.kind)}://${secret ? `${REDACTED}@` : ''}${target.servers.join(',')}${place}`;
}

function embeddedParts(body: string): ReadonlyMap<string, string> {
  return new Map(body === '' ? [] : [['path', body]]);
}

function networkParts(
  url: { readonly body: string; readonly row: SchemeRow; readonly scheme: string },
  from: string,
  faults: Faults,
): ReadonlyMap<string, string> {
  const { row, scheme } = url;
  const parts = new Map<string, string>();
  if (!url.body.startsWith('//')) {
    faults.add(from, `"${redactUrl(`${scheme}:${url.body}`)}" has no // after its scheme`, `expected ${row.example}`);
    return parts;
  }
  // A slash ends the authority as in any URL; in a password it must be written %2F.
  const slash = url.body.indexOf('/', 2);
  const authority = slash === -1 ? url.body.slice(2) : url.body.slice(2, slash);
  const place = slash === -1 ? '' : decode(url.body.slice(slash + 1).replace(/\/$/, ''), `${from} (path)`, faults);
  if (authority !== '') {
    const { servers, credentials } = readServers([authority], row.port, { from, faults });
    if (servers.length > 0) parts.set('servers', servers.join(','));
    for (const [name, value] of credentials) parts.set(name, value);
  }
  if (row.place === '' && place !== '')
    faults.add(
      from,
      `"${scheme}://" takes nothing after its servers, got "/${place}"`,
      `for a stream, nats+jetstream://…/${place} or nats+dedupe://…/${place}`,
    );
  else if (place !== '') parts.set('stream', place);
  return parts;
}

/** A password with a bare `/` or `?` would be read, and printed, as something else. */
function hasStrayAt(body: string, query: string): boolean {
  const slash = body.indexOf('/', 2);
  const firstName = query.split(/[=&]/, 1)[0]!;
  return (slash !== -1 && body.includes('@', slash)) || firstName.includes('@');
}

function splitQuery(body: string): { readonly body: string; readonly query: string } {
  const mark = body.indexOf('?');
  return mark === -1 ? { body, query: '' } : { body: body.slice(0, mark), query: body.slice(mark + 1) };
}

function queryOf(query: string, from: string, faults: Faults): readonly (readonly [string, string])[] {
  if (query === '') return [];
  return query.split('&').flatMap((pair) => {
    if (pair === '') return [];
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals), `${from} (query)`, faults);
    // `?insecure` alone switches a boolean on; for any other unit the parser refuses the text `true`.
    return [[name, equals === -1 ? 'true' : decode(pair.slice(equals + 1), `${from} (query ${name})`, faults)] as const];
  });
}

function schemeAdvice(scheme: string): string {
  const kindName = nearestName(scheme, processorKinds);
  const kind = processorKinds.find((name) => name === kindName) ?? null;
  const nearest = nearestName(scheme, Object.keys(schemes));
  const suggestion =
    nearest !== null
      ? `did you mean ${schemes[nearest]!.example}?`
      : kind !== null
        ? `did you mean ${schemes[schemeOf(kind)]!.example}?`
        : '';
  const forms = Object.entries(schemes).map(([name, { kind: of, place }]) =>
    of === 'embedded' ? 'embedded:PATH' : `${name}://HOST:PORT${place === '' ? '' : `/${place}`}`,
  );
  return `expected ${forms.join(', ')}${suggestion === '' ? '' : `; ${suggestion}`}`;
}
