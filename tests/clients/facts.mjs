// Empties `generated/`, and writes there what caches must know of the schema:
//
//   generated/introspection.json   graphcache's `schema`
//   generated/possible_types.json  Apollo's `possibleTypes`
//   generated/keyless.json         the types of objects that are no Node: parts of what they stand in

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  buildSchema,
  introspectionFromSchema,
  isAbstractType,
  isIntrospectionType,
  isObjectType,
} from 'graphql';

const folder = new URL('generated/', import.meta.url);
rmSync(folder, { recursive: true, force: true });
// The Relay compiler makes no folder of its own.
mkdirSync(new URL('relay/', folder), { recursive: true });

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
const types = Object.values(schema.getTypeMap()).filter((type) => !isIntrospectionType(type));

const possibleTypes = Object.fromEntries(
  types
    .filter(isAbstractType)
    .map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
);
const keyless = types
  .filter((type) => isObjectType(type) && !roots.includes(type))
  .filter((type) => !type.getInterfaces().some(({ name }) => name === 'Node'))
  .map(({ name }) => name);

function write(file, value) {
  writeFileSync(new URL(file, folder), JSON.stringify(value));
}
write('introspection.json', introspectionFromSchema(schema, { descriptions: false }));
write('possible_types.json', possibleTypes);
write('keyless.json', keyless);
