import { readFileSync } from 'node:fs';
import { COMMANDS } from '../../src/cli/commands.ts';

interface Entry {
  readonly file: string;
  readonly names: readonly string[];
}

/** What authors import, in the order in which they meet it. */
const SDK: readonly Entry[] = [
  {
    file: 'define.ts',
    names: ['defineConnector', 'ConnectorDefinition', 'defineAction', 'ActionDefinition', 'defineActionFor'],
  },
  {
    file: 'contract/context.ts',
    names: ['ConnectorContext', 'CallContext', 'ConnectorLog', 'ConnectorStorage', 'ConnectorSocket'],
  },
  { file: 'connector-error.ts', names: ['ConnectorError', 'ConnectorErrorOptions'] },
  { file: 'contract/manifest.ts', names: ['Permissions', 'Limits'] },
  { file: 'schema.ts', names: ['Infer'] },
  { file: 'standard-schema.ts', names: ['StandardJsonSchema'] },
];
const TESTING: readonly Entry[] = [
  { file: 'testing/open-connector.ts', names: ['openConnector', 'OpenOptions', 'OpenConnector', 'RunOptions'] },
  { file: 'testing/outcome.ts', names: ['ActionOutcome', 'ActionRecord'] },
  { file: 'testing/leaks.ts', names: ['Leaks'] },
  { file: 'testing/upstream.ts', names: ['Upstream'] },
  {
    file: 'testing/faults.ts',
    names: ['noAnswer', 'tooManyRequests', 'serverError', 'connectionLost', 'cutBody', 'faultAt', 'FAULTS'],
  },
  { file: 'testing/sweeps.ts', names: ['cancelAtEachAwait', 'squeezeDeadline', 'eachFault', 'Swept', 'CutShort'] },
];

/** The reference as Markdown, from the doc comments of the sources and the data of the commands. */
export function reference(): string {
  return [
    '### `@goflow/plugin-sdk`',
    ...SDK.flatMap(section),
    '### `@goflow/plugin-sdk/testing`',
    ...TESTING.flatMap(section),
    '### Commands',
    'Results go to standard output, everything for people to standard error. Exit status: 0 done, 1 failed, 2 wrong usage.',
    ...COMMANDS.map(command),
  ].join('\n\n');
}

function section({ file, names }: Entry): string[] {
  const text = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
  return names.map((name) => declaration(text, name));
}

function declaration(text: string, name: string): string {
  const pattern = new RegExp(
    `((?:/\\*\\*(?:(?!\\*/)[^])*\\*/\\n)?)(?:// oxlint[^\\n]*\\n)?export (?:async )?(interface|class|function|const|type) ${name}\\b`,
  );
  const found = pattern.exec(text);
  if (found === null) throw new Error(`${name} was not found`);
  const body = text.slice(found.index + found[0].length);
  const doc = comment(found[1] ?? '');
  const end = body.indexOf('\n}');
  const members = found[2] === 'interface' ? table(body.slice(body.indexOf('{') + 1, end)) : '';
  return [`#### \`${name}\``, doc.text, members, doc.example].filter((part) => part !== '').join('\n\n');
}

function comment(source: string): { readonly text: string; readonly example: string } {
  const lines = source
    .replace(/^\/\*\*\s?|\s*\*\/\n?$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''));
  const [text = '', rest = ''] = lines.join('\n').trim().split('\n@example\n');
  const [example = '', throws] = rest.split(/\n+@throws /);
  const prose = text
    .replaceAll(/\n(?!\n)/g, ' ')
    .replace(/\s*@throws /, ' Throws ')
    .trim();
  return {
    text: prose + (throws === undefined ? '' : ` Throws ${throws.replaceAll('\n', ' ')}`),
    example: example.trim() === '' ? '' : `\`\`\`typescript\n${example.trim()}\n\`\`\``,
  };
}

/** Members of an interface that stand at its own level, each with its type and what its comment says. */
function table(body: string): string {
  const rows: string[] = [];
  let doc = '';
  let member = '';
  for (const line of body.split('\n')) {
    const inComment = doc !== '' && !doc.includes('*/');
    if (member === '' && (inComment || /^ {2}\/\*\*/.test(line))) doc += `${line.trim()}\n`;
    else if (!/^\s*\/\//.test(line)) member += `${line.trim()} `;
    const open = (member.match(/[{(]/g)?.length ?? 0) - (member.match(/[})]/g)?.length ?? 0);
    if (open !== 0 || !member.trimEnd().endsWith(';')) continue;
    const shown = member.trim().replaceAll('readonly ', '').replace(/;$/, '');
    const said = comment(doc).text.replaceAll(/```\w*\s*([^]*?)\s*```/g, '`$1`');
    rows.push(`| \`${shown.replaceAll('|', '\\|')}\` | ${said.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')} |`);
    doc = '';
    member = '';
  }
  return rows.length === 0 ? '' : ['| member | |', '| --- | --- |', ...rows].join('\n');
}

function command(one: (typeof COMMANDS)[number]): string {
  const args = (one.arguments ?? []).map(({ name }) => ` ${name}`).join('');
  const options = (one.options ?? []).map(
    ({ flags, description }) => `| \`${flags}\` | ${description.replaceAll('|', '\\|')} |`,
  );
  return [
    `#### \`goflow-plugin ${one.name}${args}\``,
    one.summary,
    ...(options.length === 0 ? [] : [['| option | |', '| --- | --- |', ...options].join('\n')]),
    `\`\`\`console\n${one.example}\n\`\`\``,
  ].join('\n\n');
}
