/** The tree keeps the rules of the architecture and of the style; each rule is first shown to catch a planted fault. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allowedFolders, cycles, folderOf, forbiddenImports, misplacedLibraries } from './imports.ts';
import * as tidy from './tidy.ts';
import { importsOf, readTopLevel, readTree } from './tree.ts';
import type { Tree } from './tree.ts';

type Rule = (tree: Tree) => string[];

const rules: readonly {
  readonly name: string;
  readonly rule: Rule;
  readonly bad: Readonly<Record<string, string>>;
  readonly good: Readonly<Record<string, string>>;
}[] = [
  {
    name: 'no file is longer than 250 lines',
    rule: tidy.longFiles,
    bad: { 'src/api/a.ts': 'x\n'.repeat(251), 'test/a.test.ts': 'x\n'.repeat(250) + 'x' },
    good: { 'src/api/a.ts': 'x\n'.repeat(250) },
  },
  {
    name: 'names are kebab-case and say something',
    rule: tidy.badNames,
    bad: {
      'src/api/utils.ts': '',
      'src/core/a.ts': '',
      'src/helpers/a.ts': '',
      'src/api/someThing.ts': '',
      'test/unit/Bad.test.ts': '',
      'src/api/a_b.ts': '',
    },
    good: { 'src/api/some-thing.ts': '', 'test/unit/good.test.ts': '' },
  },
  {
    name: 'exports are named',
    rule: tidy.defaultExports,
    bad: { 'src/api/a.ts': 'export default 1;', 'workers/b.ts': 'const x = 1;\nexport { x as default };' },
    good: { 'src/api/a.ts': '// export default\nexport const x = 1;', 'test/unit/fixtures/a.ts': 'export default 1;' },
  },
  {
    name: 'the library prints nothing',
    rule: tidy.strayOutput,
    bad: {
      'src/engine/a.ts': 'console.log(1);',
      'workers/b.ts': 'console.error(1);',
      'src/engine/c.ts': 'process.stdout.write("x");',
      'test/a.test.ts': 'console.log(1);',
    },
    good: {
      'src/cli/a.ts': 'console.log(1);',
      'src/engine/b.ts': '/** console.log() */ // console.log(1)',
      'bench/c.ts': 'console.log(1);',
      'test/run.ts': 'console.log(1)',
    },
  },
  {
    name: 'workers and pure code read nothing of the process',
    rule: tidy.hiddenInputs,
    bad: { 'workers/a.ts': "process.env['X']", 'src/memory/b.ts': 'process.cwd()' },
    good: { 'src/cli/a.ts': "process.env['X']", 'src/memory/b.ts': 'process.hrtime()' },
  },
  {
    name: 'every file begins with its guarantee',
    rule: tidy.undocumentedFiles,
    bad: { 'src/api/a.ts': "import x from './x.ts';", 'workers/b.ts': '/* not doc */', 'src/api/c.ts': '/** */' },
    good: {
      'src/api/a.ts': '/** Says so. */',
      'src/api/b.ts': '/**\n * Says so.\n */',
      'src/cli/main.ts': '#!/usr/bin/env node\n/** Says so. */',
      'test/a.test.ts': '',
    },
  },
  {
    name: 'no test is narrowed to one',
    rule: tidy.narrowedTests,
    bad: { 'test/unit/a.test.ts': "Suite.only('x', () => {});" },
    good: { 'test/unit/a.test.ts': "Suite('x', () => {});\n// Suite.only(" },
  },
  {
    name: 'imports follow the table of folders',
    rule: (tree) => forbiddenImports(importsOf(tree)),
    bad: {
      'src/api/a.ts': "import type { B } from '../memory/b.ts';",
      'src/memory/a.ts': "import { x } from '../codec/b.ts';",
      'src/codec/a.ts': "import {\n  x,\n} from '../memory/b.ts';",
      'src/processors/simple/a.ts': "import { x } from '../../engine/b.ts';",
      'src/engine/a.ts': "export { x } from '../cli/b.ts';",
      'src/cli/a.ts': "const x = await import('../engine/b.ts');",
      'workers/a.ts': "import '../src/config/b.ts';",
      'workers/b.ts': "import fs from 'node:fs/promises';",
      'src/stray/a.ts': "import { x } from '../api/b.ts';",
    },
    good: {
      'src/engine/a.ts': "import { x } from '../../workers/b.ts';\nimport { y } from '../memory/b.ts';",
      'src/cli/a.ts': "import { x } from '../index.ts';\nimport { readFileSync } from 'node:fs';",
      'src/api/a.ts': "// import { x } from '../cli/b.ts';\nimport { y } from './b.ts';",
      'test/unit/a.test.ts': "import { x } from '../../src/engine/b.ts';",
    },
  },
  {
    name: 'each library has one home',
    rule: (tree) => misplacedLibraries(importsOf(tree)),
    bad: {
      'src/engine/a.ts': "import { connect } from 'nats';",
      'src/codec/a.ts': "import { open } from 'lmdb';",
      'workers/a.ts': "import { Packr } from 'msgpackr/pack';",
      'src/cli/a.ts': "import x from 'left-pad';",
      'src/processors/simple/a.ts': "const x = await import('@platformatic/kafka');",
    },
    good: {
      'src/codec/a.ts': "import { Packr } from 'msgpackr/pack';",
      'src/engine/a.ts': "import { Piscina } from 'piscina';",
      'test/a.test.ts': "import 'lmdb';",
    },
  },
  {
    name: 'no imports go in a circle',
    rule: (tree) => cycles(importsOf(tree)),
    bad: {
      'src/api/a.ts': "import './b.ts';",
      'src/api/b.ts': "import type { C } from './c.ts';",
      'src/api/c.ts': "export * from './a.ts';",
    },
    good: { 'src/api/a.ts': "import './b.ts';\nimport './c.ts';", 'src/api/b.ts': "import './c.ts';", 'src/api/c.ts': '' },
  },
];

const treeOf = (files: Readonly<Record<string, string>>): Tree => new Map(Object.entries(files));

const PlantedSuite = suite('tidy rules catch a planted fault');
for (const { name, rule, bad, good } of rules)
  PlantedSuite(name, () => {
    if (name.includes('circle')) assert.is(rule(treeOf(bad)).length, 1);
    else
      for (const [file, text] of Object.entries(bad)) assert.is(rule(treeOf({ [file]: text })).length, 1, `${file}: ${text.slice(0, 60)}`);
    assert.equal(rule(treeOf(good)), []);
  });

PlantedSuite('nothing else stands at the top level', () => {
  assert.is(tidy.strangersAtTop(['src', 'lib', 'notes.md']).length, 2);
  assert.equal(tidy.strangersAtTop(['src', 'README.md']), []);
});

PlantedSuite('every name is documented', () => {
  assert.is(tidy.undocumented(['MILLRACE_A', 'MILLRACE_AB'], 'text `MILLRACE_AB` MILLRACE_A').length, 1);
});
PlantedSuite.run();

const TreeSuite = suite('the tree is tidy');
const tree = readTree();
for (const { name, rule } of rules) TreeSuite(name, () => assert.equal(rule(tree), []));

TreeSuite('nothing else stands at the top level', () => assert.equal(tidy.strangersAtTop(readTopLevel()), []));

TreeSuite('the rules see the tree', () => {
  assert.ok(tree.size > 40, `${tree.size} files`);
  assert.ok(importsOf(tree).some(({ from, to }) => from === 'src/api/errors.ts' && to === 'src/api/error-codes.ts'));
  const folders = new Set([...tree.keys()].filter((file) => /^(?:src|workers)\//.test(file)).map(folderOf));
  assert.equal(
    [...folders].filter((folder) => !(folder in allowedFolders)),
    [],
  );
});
TreeSuite.run();
