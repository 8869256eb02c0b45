// Fails where a type is `any` in what was generated or in what uses it, and says how large the types
// of all operations are.

import { readFileSync, readdirSync } from 'node:fs';

const folder = new URL('generated/', import.meta.url);
const declarations = readdirSync(new URL('js/', folder), { recursive: true })
  .map((name) => `js/${name}`)
  .filter((name) => name.endsWith('.d.ts'));

const commentOrText = /\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g;
const read = (name) => readFileSync(new URL(name, folder), 'utf8');
const untyped = declarations.filter((name) => /\bany\b/.test(read(name).replace(commentOrText, '')));
if (untyped.length > 0 || declarations.length === 0) {
  console.error(`A type is any in ${untyped.join(', ') || 'no file: nothing was compiled'}`);
  process.exit(1);
}

const types = read('types.ts');
const bytes = Buffer.byteLength(types);
const withoutComments = Buffer.byteLength(types.replace(/[ \t]*\/\*\*[\s\S]*?\*\/\n?/g, ''));
const operations = types.match(/^export type \w+(Query|Mutation) =/gm).length;
console.log(
  `typescript-operations: ${bytes} bytes for ${operations} operations, ${withoutComments} of them not comments.`,
);
