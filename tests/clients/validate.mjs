// Validates documents and coerces variables with graphql-js, and compares: what it refuses, the
// service must refuse.
//
//   node validate.mjs schema.graphql documents.jsonl
//
// Each line is {"query", "refused", "variables", "operations": [{"name", "refused"}]}, where
// `refused` is null or the service's first message.

import { readFileSync } from 'node:fs';
import { buildSchema, getOperationAST, parse, validate } from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';

const [schemaFile, documentsFile] = process.argv.slice(2);
const schema = buildSchema(readFileSync(schemaFile, 'utf8'));

// What the service refuses beyond the specification.
const further = [
  /at most \d+ are allowed\.$/, // a limit
  /^Select this mutation once/,
  /is not an? (Date|DateTime|Decimal|TimeZone)\.$/, // the JSON of a scalar
  /^Argument \w+ must not be null\.$/, // null where graphql-js sees a default
  /must not be null where it is used\.$/, // an error of execution in graphql-js
];

function refusal(query) {
  try {
    const document = parse(query);
    return { document, theirs: validate(schema, document)[0]?.message };
  } catch (error) {
    return { theirs: error.message };
  }
}

function refusalOfVariables(document, name, variables) {
  const { variableDefinitions } = getOperationAST(document, name);
  return getVariableValues(schema, variableDefinitions ?? [], variables).errors?.[0]?.message;
}

const counts = { valid: 0, invalid: 0, operations: 0, refusedOperations: 0 };
const accepted = [];
const stricter = new Map();

function compare(theirs, ours, about) {
  if (theirs && !ours) accepted.push(`${theirs}\n    ${about}`);
  if (!theirs && ours && !further.some((rule) => rule.test(ours))) stricter.set(ours, about);
}

for (const line of readFileSync(documentsFile, 'utf8').split('\n').filter(Boolean)) {
  const { query, refused, variables, operations } = JSON.parse(line);
  const { document, theirs } = refusal(query);
  compare(theirs, refused, query);
  counts[theirs || refused ? 'invalid' : 'valid'] += 1;
  if (theirs || refused) continue;
  for (const { name, refused } of operations) {
    const theirs = refusalOfVariables(document, name, variables);
    compare(theirs, refused, `${name} ${JSON.stringify(variables)} ${query}`);
    counts[theirs || refused ? 'refusedOperations' : 'operations'] += 1;
  }
}
console.log(JSON.stringify(counts));
for (const [message, about] of [...stricter].slice(0, 10)) {
  console.log(`the service alone refuses: ${message}\n    ${about}`);
}
for (const found of accepted.slice(0, 10)) console.log(`graphql-js alone refuses: ${found}`);
process.exit(accepted.length || stricter.size ? 1 : 0);
