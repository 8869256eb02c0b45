// Compares schema.graphql with published.graphql, the schema of the last release, and says of each
// change whether it breaks clients. Fails where one does that accepted-changes.json does not list
// with a reason, and where it lists one that is not there.
//
//   node changes.mjs             compares
//   node changes.mjs --publish   makes schema.graphql the published one, and empties the list

import { readFileSync, writeFileSync } from 'node:fs';
import { CriticalityLevel, diff, DiffRule } from '@graphql-inspector/core';
import { buildSchema, parse, print, visit } from 'graphql';

const at = (name) => new URL(name, import.meta.url);
const read = (name) => readFileSync(at(name), 'utf8');

/** The schema in a file, without its descriptions: a manual may be rewritten at any time. */
function schema(name) {
  const document = visit(parse(read(name)), {
    enter: (node) => (node.description ? { ...node, description: undefined } : undefined),
  });
  return print(document);
}

if (process.argv.includes('--publish')) {
  writeFileSync(at('published.graphql'), `${schema('../../schema.graphql')}\n`);
  writeFileSync(at('accepted-changes.json'), '{}\n');
}
const accepted = JSON.parse(read('accepted-changes.json'));

/** Which nulls are errors is a promise to clients: it may be made, and not taken back. */
function level({ type, path, criticality }) {
  if (!path?.includes('@semanticNonNull')) return criticality.level;
  const made = type === 'DIRECTIVE_USAGE_FIELD_DEFINITION_ADDED';
  return made ? CriticalityLevel.NonBreaking : CriticalityLevel.Breaking;
}

const [published, current] = ['published.graphql', '../../schema.graphql'].map(schema);
const changes = await diff(buildSchema(published), buildSchema(current), [DiffRule.simplifyChanges]);
const lines = Object.fromEntries(Object.values(CriticalityLevel).map((of) => [of, []]));
for (const change of changes) lines[level(change)].push(`${change.path}: ${change.message}`);

const titles = {
  [CriticalityLevel.Breaking]: 'break clients',
  [CriticalityLevel.Dangerous]: 'may surprise clients',
  [CriticalityLevel.NonBreaking]: 'are safe',
};
console.log(`Changes of the schema since the last release: ${changes.length}`);
for (const [of, title] of Object.entries(titles)) {
  console.log(`${lines[of].length} ${title}`);
  for (const line of lines[of]) {
    console.log(`    ${line}`);
    if (accepted[line]) console.log(`        accepted: ${accepted[line]}`);
  }
}

const breaking = lines[CriticalityLevel.Breaking];
const unaccepted = breaking.filter((line) => typeof accepted[line] !== 'string' || accepted[line].trim() === '');
const gone = Object.keys(accepted).filter((line) => !breaking.includes(line));
for (const line of unaccepted) {
  console.error('Breaks clients. Change it back, or list it in tests/clients/accepted-changes.json with a reason:');
  console.error(`    ${line}`);
}
for (const line of gone) {
  console.error('Listed in tests/clients/accepted-changes.json, and not a breaking change now:');
  console.error(`    ${line}`);
}
process.exit(unaccepted.length + gone.length > 0 ? 1 : 0);
