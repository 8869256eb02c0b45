// graphql-eslint over the schema and the operations: its recommended rules, those of Relay's
// specifications among them.

import { readFileSync } from 'node:fs';
import plugin from '@graphql-eslint/eslint-plugin';
import { ESLint } from 'eslint';

const schemaFile = new URL('../../schema.graphql', import.meta.url);
const recommended = (name) => plugin.configs[`flat/${name}`].rules;

const parsed = {
  plugins: { '@graphql-eslint': plugin },
  languageOptions: {
    parser: plugin.parser,
    parserOptions: {
      graphQLConfig: { schema: schemaFile.pathname, documents: 'operations/*.graphql' },
    },
  },
};
const overrideConfig = [
  {
    ...parsed,
    files: ['schema.graphql'],
    rules: {
      ...recommended('schema-recommended'),
      ...recommended('schema-relay'),
      // Not every object is a Node: payloads, pages, figures and parts have no id.
      '@graphql-eslint/strict-id-in-types': 'off',
      // Lists that have an end of their own are plain lists.
      '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],
    },
  },
  {
    ...parsed,
    files: ['operations/*.graphql'],
    rules: recommended('operations-recommended'),
  },
];

const eslint = new ESLint({ cwd: import.meta.dirname, overrideConfigFile: true, overrideConfig });
const results = [
  // As text, because ESLint reads no file outside its folder.
  ...(await eslint.lintText(readFileSync(schemaFile, 'utf8'), { filePath: 'schema.graphql' })),
  ...(await eslint.lintFiles('operations/*.graphql')),
];
const { format } = await eslint.loadFormatter('unix').catch(() => eslint.loadFormatter('stylish'));
console.log(await format(results));
process.exit(results.some(({ messages }) => messages.length > 0) ? 1 : 0);
