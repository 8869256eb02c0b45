// Validates documents with graphql-js, and compares: what it refuses, the service must refuse.
//
//   node validate.mjs schema.graphql documents.jsonl
//
// Each line is {"query": …, "refused": null or the service's first message}.

import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';

const [schemaFile, documentsFile] = process.argv.slice(2);
const schema = buildSchema(readFileSync(schemaFile, 'utf8'));

// What the service refuses beyond the specification.
const further = [
  /at most \d+ are allowed\.$/, // a limit
  /^Ask for a mutation in one place/,
  /is not an? (Date|DateTime|Decimal|TimeZone)\.$/, // the JSON of a scalar
  /^Argument \w+ must not be null\.$/, // null where graphql-js sees a default
];

function refusal(query) {
  try {
    return validate(schema, parse(query))[0]?.message;
  } catch (error) {
    return error.message;
  }
}

let valid = 0;
let both = 0;
const accepted = [];
const stricter = new Map();
for (const line of readFileSync(documentsFile, 'utf8').split('\n').filter(Boolean)) {
  const { query, refused } = JSON.parse(line);
  const theirs = refusal(query);
  if (theirs && !refused) accepted.push(`${theirs}\n    ${query}`);
  if (!theirs && refused && !further.some((rule) => rule.test(refused))) {
    stricter.set(refused, query);
  }
  valid += !theirs && !refused;
  both += Boolean(theirs && refused);
}
console.log(`${valid} documents are valid for both, ${both} for neither`);
for (const [message, query] of stricter) console.log(`the service alone refuses: ${message}\n    ${query}`);
for (const found of accepted.slice(0, 10)) console.log(`graphql-js alone refuses: ${found}`);
process.exit(accepted.length || stricter.size ? 1 : 0);
