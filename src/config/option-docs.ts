/** Writes the option table as markdown, so that docs/configuration.md says exactly what the code does. */
import type { OptionRow, Rows } from './rows.ts';
import { envName, flagName, valueWord } from './rows.ts';
import { callRows, connectGroups } from './table.ts';

/** One markdown table per group of options, each under a heading. */
export function optionTable(): string {
  const groups = [
    ...connectGroups,
    { title: 'Of `millrace ingest`', rows: callRows.ingest },
    { title: 'Of `millrace consume`', rows: callRows.consume },
  ];
  return groups.map(({ title, rows }) => `## ${title}\n\n${groupTable(rows)}`).join('\n\n');
}

/** The whole of docs/configuration.md. */
export function configurationPage(): string {
  return `${INTRODUCTION}\n\n${optionTable()}\n`;
}

function groupTable(rows: Rows): string {
  const lines = Object.entries(rows).map(
    ([name, row]) =>
      `| ${[names(name, row), flag(name, row), environment(name, row), fallback(row), kinds(row), row.help].map(cell).join(' | ')} |`,
  );
  return ['| option | flag | environment | default | kinds | meaning |', '| --- | --- | --- | --- | --- | --- |', ...lines].join('\n');
}

function names(name: string, row: OptionRow): string {
  return [name, ...(row.aliases ?? [])].map(code).join(', ');
}

function flag(name: string, row: OptionRow): string {
  const word = valueWord(row);
  return code(`--${flagName(name, row)}${word === '' ? '' : ` ${word}`}`);
}

function environment(name: string, row: OptionRow): string {
  return code(envName(name)) + (row.secret === true ? `, ${code(`${envName(name)}_FILE`)}` : '');
}

function fallback(row: OptionRow): string {
  return row.default === '' ? '–' : row.computed === true ? String(row.default) : code(String(row.default));
}

function kinds(row: OptionRow): string {
  return row.kinds === undefined ? 'all' : row.kinds.join(', ');
}

function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

const INTRODUCTION = `# Configuration

This page is written by \`millrace docs options\` from the table in \`src/config\`; a test compares the two.

Every option has one name, the same in \`connect(target, options)\`, in a URL's query, in a config file and, in its own
spelling, as a flag and as an environment variable. The strongest wins:

1. a flag of the command line, or an option of \`connect\`
2. the connection URL: its parts, its \`user:password@\` and its query (\`?replicas=3&window=2m\`)
3. the environment (\`MILLRACE_…\`)
4. the config file (\`--config FILE\` or \`MILLRACE_CONFIG\`): one JSON object, \`{"to": "embedded:.millrace", "workers": 2}\`
5. \`NATS_URL\`, for servers and their credentials, where nothing above names a server
6. the default

The target itself is \`--to\` (or \`--from\`), then \`MILLRACE_TO\` (\`MILLRACE_FROM\`, and without it \`MILLRACE_TO\`), then \`to\`
(\`from\`) of the config file, then \`NATS_URL\`, then \`embedded:.millrace\`. \`millrace config\` prints every value with its origin.

Sizes are bytes or \`64KiB\`, \`16MiB\`, \`1GiB\`; times are milliseconds or \`5ms\`, \`30s\`, \`2m\`, \`1h\`, \`7d\`; lists are apart by
commas. A secret can come from a file: \`MILLRACE_PASSWORD_FILE=/run/secrets/nats\`, also \`MILLRACE_TO_FILE\`. An empty variable
counts as not set. An option that the chosen kind does not have is a fault in a URL, a warning as flag or option, and nothing in
environment and file, which other kinds may share. \`LOG_LEVEL\` (\`silent\`, \`error\`, \`warn\`, \`info\`, \`debug\`) and \`NO_COLOR\` are honoured.`;
