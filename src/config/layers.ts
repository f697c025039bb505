/** The layers a value can come from, strongest first: flag or option, URL, environment, config file, NATS_URL. */
import { schemes } from './url.ts';
import type { Faults } from './faults.ts';
import { nearestName } from './nearest.ts';
import { readServers } from './servers.ts';

export type OriginKind = 'flag' | 'option' | 'url' | 'env' | 'file' | 'default';

export interface LayerValue {
  readonly raw: unknown;
  /** In words: `flag --workers`. */
  readonly from: string;
}

export interface Layer {
  readonly origin: OriginKind;
  /** By the option's own name. */
  readonly values: Map<string, LayerValue>;
}

/** Values by any of their names; a name nobody knows is a fault, and so are two names of one option with different values. */
export function namedLayer(
  origin: OriginKind,
  entries: Iterable<readonly [string, unknown]>,
  request: { readonly names: ReadonlyMap<string, string>; readonly word: (name: string) => string; readonly faults: Faults },
): Layer {
  const values = new Map<string, LayerValue>();
  for (const [given, raw] of entries) {
    if (raw === undefined) continue;
    const name = request.names.get(given);
    const from = request.word(given);
    if (name === undefined) {
      request.faults.name(from, nearestName(given, request.names.keys()));
      continue;
    }
    const before = values.get(name);
    if (before !== undefined && JSON.stringify(before.raw) !== JSON.stringify(raw))
      request.faults.add(from, `differs from ${before.from}, which is the same option`, 'give one of them');
    else values.set(name, { raw, from });
  }
  return { origin, values };
}

/** Takes credentials out of a layer's `servers`, so that they rank as that layer does; those given by name in it win. */
export function expandServers(layer: Layer, port: number, faults: Faults): void {
  const given = layer.values.get('servers');
  if (given === undefined) return;
  const list = typeof given.raw === 'string' ? [given.raw] : given.raw;
  if (!Array.isArray(list) || !list.every((item): item is string => typeof item === 'string')) return;
  const { servers, credentials } = readServers(
    list.filter((item) => item.trim() !== ''),
    port,
    { from: given.from, faults },
  );
  layer.values.set('servers', { raw: servers, from: given.from });
  for (const [name, raw] of credentials) if (!layer.values.has(name)) layer.values.set(name, { raw, from: given.from });
}

/** `NATS_URL` as the NATS tools know it: servers, perhaps with credentials; the weakest layer above the defaults. */
export function natsUrlLayer(env: Readonly<Record<string, string | undefined>>, faults: Faults): Layer {
  const values = new Map<string, LayerValue>();
  const text = env['NATS_URL']?.trim() ?? '';
  const scheme = /^([a-z+]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  // A whole Millrace URL in NATS_URL is a target, and not a list of servers.
  if (text === '' || (scheme !== undefined && scheme !== 'nats' && scheme !== 'tls')) return { origin: 'env', values };
  const from = 'env NATS_URL';
  const { servers, credentials } = readServers([text], schemes['nats']!.port, { from, faults });
  values.set('servers', { raw: servers, from });
  for (const [name, raw] of credentials) values.set(name, { raw, from });
  return { origin: 'env', values };
}
