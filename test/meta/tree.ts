/** The source tree as plain data, so that every rule is a pure function that a planted fault can test. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Path from the root, with `/`, to text. */
export type Tree = ReadonlyMap<string, string>;

/** One import of one file. `to` is a path of the tree for relative imports, else the package or `node:` name. */
export interface Import {
  readonly from: string;
  readonly to: string;
  readonly relative: boolean;
}

const CODE_FOLDERS = ['src', 'workers', 'bench', 'test'];
export const root: string = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** Every .ts file of the code folders. */
export function readTree(): Tree {
  const names = CODE_FOLDERS.filter((folder) => existsSync(path.join(root, folder))).flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .map((name) => path.posix.join(folder, name.split(path.sep).join('/'))),
  );
  return new Map(names.toSorted().map((name) => [name, readFileSync(path.join(root, name), 'utf8')]));
}

/** Names at the top level, without what .gitignore leaves out and without dotfiles. */
export function readTopLevel(): string[] {
  const ignored = readFileSync(path.join(root, '.gitignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => new RegExp(`^${line.replace(/\/$/, '').replaceAll('.', '\\.').replaceAll('*', '.*')}$`));
  return readdirSync(root).filter((name) => !name.startsWith('.') && !ignored.some((pattern) => pattern.test(name)));
}

/** A text without its comments. Also cuts what follows `//` inside a string, which no rule here needs. */
export function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}

const STATIC = /^\s*(?:import|export)\b(?:[^'";]*?\bfrom)?\s*['"]([^'"\n]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"]([^'"\n]+)['"]/g;

/** All imports and re-exports, of types too: a type is a dependency of the reader as well. */
export function importsOf(tree: Tree): Import[] {
  return [...tree].flatMap(([from, text]) => {
    const code = codeOf(text);
    const found = [...code.matchAll(STATIC), ...code.matchAll(DYNAMIC)].map((match) => match[1]!);
    return [...new Set(found)].map((name) => {
      if (!name.startsWith('.')) return { from, to: packageOf(name), relative: false };
      return { from, to: path.posix.join(path.posix.dirname(from), name), relative: true };
    });
  });
}

/** `@scope/name/deep` → `@scope/name`; `node:` names stay whole. */
function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
