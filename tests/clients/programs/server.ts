// The server that the programs ask, and what all of them need: `TESSERA_URL`, and two users of a new
// organisation: `TESSERA_ADMIN` and `TESSERA_STAFF` (e-mails) with `TESSERA_PASSWORD`.

import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import {
  CreateContactsDocument,
  LogInDocument,
  RefreshLogInDocument,
  type ContactRowFragment,
  type LoggedInFragment,
} from '../generated/operations.js';

function needed(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set`);
  return value;
}

export const url = `${needed('TESSERA_URL')}/graphql`;
export const admin = needed('TESSERA_ADMIN');
export const staff = needed('TESSERA_STAFF');
const password = needed('TESSERA_PASSWORD');

/** What `facts.mjs` wrote. */
export function fact<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
}

/** A `fetch` that notes the operations it sends. */
export class Wire {
  readonly sent: string[] = [];

  readonly fetch: typeof fetch = (input, init) => {
    this.sent.push(JSON.parse(String(init?.body)).operationName);
    return fetch(input, init);
  };

  /** What was sent since this was asked last. */
  take(): string[] {
    return this.sent.splice(0);
  }
}

/** Asks without a cache, as somebody else would. */
export async function ask<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  accessToken?: string,
): Promise<Data> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (accessToken) headers.authorization = `Bearer ${accessToken}`;
  const body = JSON.stringify({ query: print(document), variables });
  const response = await fetch(url, { method: 'POST', headers, body });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

/** What a tab keeps of a log-in. */
export class Session {
  refreshes = 0;
  #running?: Promise<void>;

  constructor(
    public accessToken: string,
    public refreshToken: string,
  ) {}

  static async logIn(email: string): Promise<Session> {
    const { logIn } = await ask(LogInDocument, { input: { email, password } });
    return new Session(...tokens(logIn));
  }

  /** A session of another tab, which keeps the same tokens; its access token has expired. */
  expired(): Session {
    return new Session('expired', this.refreshToken);
  }

  /** Gets the next tokens; whoever asks meanwhile waits for the same answer. */
  refresh(): Promise<void> {
    this.#running ??= this.#refresh().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #refresh(): Promise<void> {
    this.refreshes += 1;
    const { refreshToken } = this;
    const { refreshLogIn } = await ask(RefreshLogInDocument, { refreshToken });
    [this.accessToken, this.refreshToken] = tokens(refreshLogIn);
  }
}

function tokens(payload: { logIn: LoggedInFragment | null; userErrors: unknown[] }): [string, string] {
  assert(payload.logIn, JSON.stringify(payload.userErrors));
  return [payload.logIn.accessToken, payload.logIn.refreshToken];
}

/** Adds so many companies, `Company 01` and on, each with an e-mail of its own. */
export async function addCompanies(session: Session, count: number): Promise<ContactRowFragment[]> {
  const numbers = Array.from({ length: count }, (_, index) => String(index + 1).padStart(2, '0'));
  const contacts = numbers.map((number) => ({
    kind: 'COMPANY' as const,
    name: `Company ${number}`,
    emails: [{ address: `info@company${number}.example` }],
  }));
  const { createContacts } = await ask(CreateContactsDocument, { input: { contacts } }, session.accessToken);
  assert.equal(createContacts.createdCount, count, JSON.stringify(createContacts));
  return createContacts.contacts;
}

/** Whether an error of an answer says that nobody is logged in. */
export function isUnauthenticated(error: { extensions?: Record<string, unknown> }): boolean {
  return error.extensions?.code === 'UNAUTHENTICATED';
}
