/** Chooses the target: what the caller said, else the environment, the file, NATS_URL, or the embedded store of this folder. */
import { readVariable } from './environment.ts';
import type { Faults } from './faults.ts';
import type { OriginKind } from './layers.ts';
import type { ResolveRequest } from './request.ts';
import type { Target } from './url.ts';
import { parseTarget } from './url.ts';

export const DEFAULT_TARGET = 'embedded:.millrace';

export interface Chosen {
  readonly text: string;
  readonly origin: OriginKind;
  readonly from: string;
}

export function chooseTarget(request: ResolveRequest, faults: Faults): { readonly target: Target; readonly chosen: Chosen } {
  const chosen = choose(request, faults);
  return { chosen, target: parseTarget(chosen.text, chosen.from, faults) };
}

function choose({ target, source = 'option', env = {}, file = null, address = 'to' }: ResolveRequest, faults: Faults): Chosen {
  if (target !== undefined) return { text: target, origin: source, from: source === 'flag' ? `flag --${address}` : 'target' };
  // Reading falls back to where this environment or file writes: what went in can be read back without saying it twice.
  const names = address === 'from' ? (['from', 'to'] as const) : (['to'] as const);
  for (const name of names) {
    const variable = readVariable(env, `MILLRACE_${name.toUpperCase()}`, { secret: true, faults });
    if (variable !== null) return { text: String(variable.raw), origin: 'env', from: variable.from };
  }
  for (const name of names) {
    const value = file?.values.get(name);
    if (typeof value === 'string') return { text: value, origin: 'file', from: `file ${file?.path}: ${name}` };
    if (value !== undefined) faults.value(`file ${file?.path}: ${name}`, value, { expected: 'a connection URL' });
  }
  const natsUrl = env['NATS_URL']?.trim() ?? '';
  if (natsUrl !== '')
    return { text: /^tls:/i.test(natsUrl) || !natsUrl.includes('://') ? 'simple' : natsUrl, origin: 'env', from: 'env NATS_URL' };
  return { text: DEFAULT_TARGET, origin: 'default', from: 'default' };
}
