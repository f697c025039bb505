/** Reads `MILLRACE_*`, and for secrets `MILLRACE_*_FILE`; an empty variable counts as not set. */
import { readFileSync } from 'node:fs';
import { messageOf } from '../api/errors.ts';
import type { Faults } from './faults.ts';
import type { Layer, LayerValue } from './layers.ts';
import { nearestName } from './nearest.ts';
import type { Rows } from './rows.ts';
import { envName } from './rows.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const FILE = '_FILE';
const SECRET_BYTES_MAX = 65_536;

/** Variables of Millrace that are no options. */
const otherNames = ['MILLRACE_TO', 'MILLRACE_FROM', 'MILLRACE_CONFIG'];

export function environmentLayer(env: Environment, rows: Rows, faults: Faults): Layer {
  const values = new Map<string, LayerValue>();
  for (const [name, row] of Object.entries(rows)) {
    const found = [name, ...(row.aliases ?? [])]
      .map((alias) => readVariable(env, envName(alias), { secret: row.secret === true, faults }))
      .filter((value) => value !== null);
    const [first, second] = found;
    if (first === undefined) continue;
    values.set(name, first);
    if (second !== undefined && second.raw !== first.raw)
      faults.add(second.from, `differs from ${first.from}, which is the same option`, 'set one of them');
  }
  return { origin: 'env', values };
}

/** A variable that takes an option's value, by itself or, for a secret, out of a file. */
export function readVariable(
  env: Environment,
  variable: string,
  { secret, faults }: { readonly secret: boolean; readonly faults: Faults },
): LayerValue | null {
  const text = env[variable] ?? '';
  const file = secret ? (env[variable + FILE] ?? '') : '';
  if (text !== '' && file !== '') faults.add(`env ${variable}${FILE}`, `${variable} is set too`, 'set one of them');
  if (text !== '') return { raw: text, from: `env ${variable}` };
  if (file === '') return null;
  const from = `env ${variable}${FILE}`;
  try {
    const content = readFileSync(file, 'utf8');
    if (content.length > SECRET_BYTES_MAX)
      faults.add(from, `"${file}" is larger than a secret can be`, `expected at most ${SECRET_BYTES_MAX} bytes`);
    return { raw: content.replace(/\r?\n$/, ''), from };
  } catch (error) {
    faults.add(from, `"${file}" cannot be read (${messageOf(error)})`, 'expected a readable file that holds the secret');
    return null;
  }
}

/** Variables that look like a slip in the name of one of ours. They may belong to somebody else, so they are no faults. */
export function strayVariables(env: Environment, rows: Rows): readonly string[] {
  const known = new Set(otherNames);
  for (const [name, row] of Object.entries(rows)) {
    for (const alias of [name, ...(row.aliases ?? [])]) {
      known.add(envName(alias));
      if (row.secret === true) known.add(envName(alias) + FILE);
    }
  }
  for (const name of ['MILLRACE_TO', 'MILLRACE_FROM']) known.add(name + FILE);
  const warnings: string[] = [];
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith('MILLRACE_') || known.has(variable)) continue;
    const nearest = nearestVariable(variable, known);
    if (nearest !== null) warnings.push(`env ${variable} is not used; did you mean ${nearest}?`);
  }
  return warnings;
}

function nearestVariable(variable: string, known: ReadonlySet<string>): string | null {
  // The common prefix would make everything look near.
  const nearest = nearestName(
    variable.slice('MILLRACE_'.length),
    [...known].map((name) => name.slice('MILLRACE_'.length)),
  );
  return nearest === null ? null : `MILLRACE_${nearest}`;
}
