/** Makes code that builds a map of known keys as one literal: several times as fast as setting keys one by one. */

/** Calls `next` with 0, 1, 2 … for the values, in the order of the keys. */
export type MakeMap = (next: (index: number) => unknown) => object;

/**
 * Null where code may not be made at run time (`--disallow-code-generation-from-strings`). Names are data: they stand in the code as
 * JSON strings only, and the caller has seen to it that `__proto__` is none of them.
 */
export function compileMap(names: readonly string[]): MakeMap | null {
  const members = names.map((name, index) => `${JSON.stringify(name)}: next(${index})`);
  try {
    return new Function('next', `return { ${members.join(', ')} };`) as MakeMap; // oxlint-disable-line no-implied-eval, no-new-func -- see above
  } catch {
    return null;
  }
}
