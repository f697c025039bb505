/** What a file may look like: size, name, first line, exports, output. Each rule is pure and says file and reason. */
import { codeOf } from './tree.ts';
import type { Tree } from './tree.ts';

const LINES_MAX = 250;
const VAGUE = new Set(['util', 'utils', 'helper', 'helpers', 'core', 'common', 'misc']);
const MAY_PRINT = ['src/cli/', 'bench/', 'test/run.ts', 'test/harness/servers.ts', 'test/meta/write-docs.ts'];
const TOP_LEVEL = new Set(
  `package.json package-lock.json tsconfig.json src workers bench test docker-compose.yml PERF.md
  README.md CHANGELOG.md LICENSE SECURITY.md docs examples deploy`.split(/\s+/),
);

/** `rule` of every file of `tree`, as `path: reason`. */
function each(tree: Tree, rule: (file: string, text: string) => string | false): string[] {
  return [...tree].flatMap(([file, text]) => {
    const reason = rule(file, text);
    return reason === false ? [] : [`${file}: ${reason}`];
  });
}

const isProduct = (file: string): boolean => file.startsWith('src/') || file.startsWith('workers/');
const isFixture = (file: string): boolean => file.includes('/fixtures/');

export function longFiles(tree: Tree): string[] {
  return each(tree, (_, text) => {
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    return lines > LINES_MAX && `${lines} lines, at most ${LINES_MAX}: split it by noun or direction`;
  });
}

export function badNames(tree: Tree): string[] {
  return each(tree, (file) => {
    const parts = file.replace(/(?:\.test|\.d)?\.ts$/, '').split('/');
    const vague = parts.find((part) => VAGUE.has(part));
    if (vague !== undefined) return `"${vague}" says nothing`;
    const odd = parts.find((part) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(part));
    return odd !== undefined && `"${odd}" is not kebab-case`;
  });
}

/** A module reference defaults to the export `default`, so fixtures that stand for users' modules may have one. */
export function defaultExports(tree: Tree): string[] {
  return each(
    tree,
    (file, text) =>
      !isFixture(file) && /^\s*export\s+default\b|^\s*export\s*\{[^}]*\bas\s+default\b/m.test(codeOf(text)) && 'has a default export',
  );
}

/** The library and its workers are silent: what is worth telling is an event, a metric or a log record. */
export function strayOutput(tree: Tree): string[] {
  return each(tree, (file, text) => {
    if (MAY_PRINT.some((place) => file.startsWith(place)) || isFixture(file)) return false;
    const code = codeOf(text);
    if (/\bconsole\s*\.\s*[a-z]+\(/.test(code.replace(/'[^'\n]*'|`[^`]*`/g, "''"))) return 'writes to the console';
    return isProduct(file) && /\bprocess\.std(?:out|err)\b/.test(code) && 'writes to the standard streams';
  });
}

/** Workers get everything through the slab: an environment variable would be a second, hidden way in. */
export function hiddenInputs(tree: Tree): string[] {
  const pure = ['workers/', 'src/memory/', 'src/codec/', 'src/api/'];
  return each(
    tree,
    (file, text) =>
      pure.some((place) => file.startsWith(place)) && /\bprocess\.(?:env|argv|cwd)\b/.test(codeOf(text)) && 'reads the process',
  );
}

export function undocumentedFiles(tree: Tree): string[] {
  return each(
    tree,
    (file, text) =>
      isProduct(file) &&
      !/^(?:#![^\n]*\n)?\/\*\*\s(?:\s*\*\s)?\s*[^\s*/]/.test(text) &&
      'does not begin with a doc comment that says its guarantee',
  );
}

/** A test that is switched off, or narrowed to one, is forgotten that way. */
export function narrowedTests(tree: Tree): string[] {
  return each(tree, (file, text) => file.endsWith('.test.ts') && /^\s*\w+\.only\(/m.test(codeOf(text)) && 'runs only one of its tests');
}

export function strangersAtTop(names: readonly string[]): string[] {
  return names.filter((name) => !TOP_LEVEL.has(name)).map((name) => `${name}: does not belong at the top level`);
}

/** `names` that `page` does not show as code: `` `NAME` ``. */
export function undocumented(names: readonly string[], page: string): string[] {
  return names.filter((name) => !page.includes(`\`${name}\``)).map((name) => `${name}: not documented`);
}
