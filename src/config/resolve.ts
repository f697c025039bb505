/** Makes one complete set of options out of flags, URL, environment, file and defaults, or one error that lists every fault. */
import { availableParallelism } from 'node:os';
import type { ProcessorKind } from '../api/capabilities.ts';
import { processorKinds } from '../api/capabilities.ts';
import { environmentLayer, strayVariables } from './environment.ts';
import { Faults } from './faults.ts';
import type { ConfigFile } from './file.ts';
import type { Layer, OriginKind } from './layers.ts';
import { expandServers, namedLayer, natsUrlLayer } from './layers.ts';
import { checkTogether, toResolved } from './resolved-values.ts';
import type { OptionValue } from './parse.ts';
import { parseValue, printValue } from './parse.ts';
import { REDACTED, redactUrl } from './redact.ts';
import type { ResolveRequest } from './request.ts';
import type { ResolvedOptions } from './resolved.ts';
import type { OptionRow, Rows } from './rows.ts';
import { flagName } from './rows.ts';
import { callRows, connectRows, namesOf } from './table.ts';
import type { Chosen } from './target.ts';
import { chooseTarget } from './target.ts';
import type { Target } from './url.ts';
import { schemeOf, schemes } from './url.ts';

export interface Origin {
  /** As people write it; a secret is hidden. */
  readonly value: string;
  readonly origin: OriginKind;
  /** In words: `env MILLRACE_WORKERS`. */
  readonly from: string;
}

export interface Resolution {
  readonly options: ResolvedOptions;
  /** The target as it was given, with its secrets: what `connect` takes. */
  readonly target: string;
  /** Values of the call's rows by name, in base units; '' = not given. */
  readonly call: Readonly<Record<string, OptionValue>>;
  /** By option name, in the order of the table, `to` or `from` first. */
  readonly origins: Readonly<Record<string, Origin>>;
  readonly warnings: readonly string[];
}

export function resolveOptions(request: ResolveRequest = {}): Resolution {
  const { options = {}, source = 'option', env = {}, file = null, call } = request;
  const faults = new Faults();
  const rows: Rows = call === undefined ? connectRows : { ...connectRows, ...callRows[call] };
  const names = namesOf(rows);
  const { target, chosen } = chooseTarget(request, faults);
  const layers: Layer[] = [
    namedLayer(source, Object.entries(options), { names, faults, word: (name) => wordOf(source, name, rows) }),
    urlLayer(target, chosen, faults),
    environmentLayer(env, rows, faults),
    fileLayer(file, faults),
  ];
  const { kind } = target;
  const port = kind === null ? 4_222 : schemes[schemeOf(kind)]!.port;
  for (const layer of layers) expandServers(layer, port, faults);
  // Its credentials are for its servers: where others are named, none of it counts.
  if (kind !== 'kafka' && !layers.some((layer) => layer.values.has('servers'))) layers.push(natsUrlLayer(env, faults));
  const warnings = [...strayVariables(env, { ...callRows.ingest, ...callRows.consume, ...connectRows })];
  const values: Record<string, OptionValue> = {};
  const origins: Record<string, Origin> = {};
  for (const [name, row] of Object.entries(rows)) {
    const { value, origin } = resolveRow({ name, row, layers, kind, faults, warnings });
    values[name] = value;
    if (applies(row, kind)) origins[name] = origin;
  }
  if (kind !== null) checkTogether({ kind, values, origins, port }, faults);
  faults.throwIfAny();
  const resolved = toResolved(kind ?? 'embedded', values, port);
  if (origins['servers']?.origin === 'default')
    origins['servers'] = { value: resolved.servers.join(','), origin: 'default', from: 'default' };
  const address: Origin = { value: resolved.url, origin: chosen.origin, from: chosen.from };
  const callValues = Object.fromEntries(Object.keys(call === undefined ? {} : callRows[call]).map((name) => [name, values[name]!]));
  return {
    options: resolved,
    target: chosen.text,
    call: callValues,
    origins: { [request.address ?? 'to']: address, ...origins },
    warnings,
  };
}

interface RowRequest {
  readonly name: string;
  readonly row: OptionRow;
  readonly layers: readonly Layer[];
  readonly kind: ProcessorKind | null;
  readonly faults: Faults;
  readonly warnings: string[];
}

/** The strongest layer's value. A weaker layer's bad value does no harm and is not looked at. */
function resolveRow({ name, row, layers, kind, faults, warnings }: RowRequest): { readonly value: OptionValue; readonly origin: Origin } {
  const fallback = defaultOf(name, row);
  for (const layer of layers) {
    const given = layer.values.get(name);
    if (given === undefined) continue;
    if (!applies(row, kind)) {
      noteUseless({ name, row, kind, layer, from: given.from }, faults, warnings);
      continue;
    }
    const parsed = parseValue(row, given.raw);
    if ('expected' in parsed)
      faults.value(given.from, given.raw, { expected: parsed.expected, secret: row.secret === true, nearest: parsed.nearest });
    const value = 'value' in parsed ? parsed.value : fallback;
    const shown = row.secret === true ? REDACTED : redactUrl(printValue(row, value));
    return { value, origin: { value: shown, origin: layer.origin, from: given.from } };
  }
  return {
    value: fallback,
    origin: { value: printValue(row, fallback), origin: 'default', from: row.computed === true ? `default (${row.default})` : 'default' },
  };
}

/** A URL is written for one kind, so there it is a fault; an option stays when a kind is swapped for another; env and file are shared. */
function noteUseless(
  given: { name: string; row: OptionRow; kind: ProcessorKind | null; layer: Layer; from: string },
  faults: Faults,
  warnings: string[],
): void {
  const advice = `it is for ${(given.row.kinds ?? []).join(', ')}`;
  if (given.layer.origin === 'url') faults.add(given.from, `does not apply to ${given.kind}`, advice);
  else if (given.layer.origin === 'flag' || given.layer.origin === 'option')
    warnings.push(`${given.from} does not apply to ${given.kind}; ${advice}`);
}

function applies(row: OptionRow, kind: ProcessorKind | null): boolean {
  return kind === null || (row.kinds ?? processorKinds).includes(kind);
}

function defaultOf(name: string, row: OptionRow): OptionValue {
  if (name === 'workers') return Math.max(1, availableParallelism() - 1);
  if (row.default === '') return row.unit === 'list' ? [] : '';
  const parsed = parseValue(row, row.default);
  return 'value' in parsed ? parsed.value : row.default;
}

function urlLayer({ parts, query }: Target, { origin, from }: Chosen, faults: Faults): Layer {
  const layer = namedLayer(origin === 'default' ? 'default' : 'url', query, {
    names: namesOf(connectRows),
    faults,
    word: (name) => `URL query ${name}`,
  });
  for (const [name, raw] of parts)
    if (!layer.values.has(name)) layer.values.set(name, { raw, from: origin === 'default' ? 'default' : `URL of ${from}` });
  return layer;
}

/** A file serves every command, so it may hold the options of all of them. */
function fileLayer(file: ConfigFile | null, faults: Faults): Layer {
  if (file === null) return { origin: 'file', values: new Map() };
  const names = new Map([
    ...namesOf(callRows.consume),
    ...namesOf(callRows.ingest),
    ...namesOf(connectRows),
    ['to', 'to'],
    ['from', 'from'],
  ]);
  return namedLayer('file', file.values, { names, faults, word: (name) => `file ${file.path}: ${name}` });
}

function wordOf(source: 'flag' | 'option', name: string, rows: Rows): string {
  const row = rows[name];
  return source === 'flag' ? `flag --${row === undefined ? name : flagName(name, row)}` : `option ${name}`;
}
