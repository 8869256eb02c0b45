// urql 6 with graphcache against the running server.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createClient, fetchExchange, type Client, type OperationResult } from '@urql/core';
import { authExchange } from '@urql/exchange-auth';
import {
  cacheExchange,
  type CacheExchangeOpts,
  type SerializedEntries,
  type StorageAdapter,
} from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import {
  CompaniesWithPeopleDocument,
  ContactDocument,
  ContactsByKindDocument,
  ContactsDocument,
  CreateContactDocument,
  DeleteContactDocument,
  MeDocument,
  SearchDocument,
  UpdateContactDocument,
  type ContactRowFragment,
  type ContactsQuery,
  type ContactsQueryVariables,
} from '../generated/operations.js';
import { OverviewDocument } from '../generated/partial.js';
import { Session, Wire, addCompanies, admin, ask, fact, isUnauthenticated, staff, url } from './server.js';

/** How long an event may take that must come. */
const PATIENCE = 10_000;

function cache(storage?: StorageAdapter) {
  // A part has no id: it is a part of what it stands in.
  const parts = fact<string[]>('keyless.json').map((type) => [type, () => null]);
  const options: CacheExchangeOpts = {
    schema: fact<NonNullable<CacheExchangeOpts['schema']>>('introspection.json'),
    keys: Object.fromEntries(parts),
    resolvers: {
      Query: {
        contacts: relayPagination(),
        contact: (_, { id }) => ({ __typename: 'Contact', id: String(id) }),
      },
      Contact: { people: relayPagination() },
    },
    updates: {
      Mutation: {
        // A list may have it anywhere: lists are asked for again.
        createContact: (_result, _args, cache) => {
          for (const { fieldName, arguments: args } of cache.inspectFields('Query')) {
            if (fieldName === 'contacts') cache.invalidate('Query', fieldName, args);
          }
        },
        deleteContact: (result, _args, cache) => {
          const { contact, userErrors } = result.deleteContact as {
            contact: { id: string } | null;
            userErrors: unknown[];
          };
          if (contact && userErrors.length === 0) cache.invalidate({ __typename: 'Contact', id: contact.id });
        },
      },
    },
    storage,
  };
  return cacheExchange(options);
}

/** A client as one tab has it: it sends its token, and gets a new one when it is refused. */
function tab(session: Session, storage?: StorageAdapter) {
  const wire = new Wire();
  const auth = authExchange(async (utils) => ({
    addAuthToOperation: (operation) =>
      utils.appendHeaders(operation, { authorization: `Bearer ${session.accessToken}` }),
    didAuthError: (error) => error.graphQLErrors.some(isUnauthenticated),
    refreshAuth: () => session.refresh(),
  }));
  const client = createClient({
    url,
    fetch: wire.fetch,
    preferGetMethod: false,
    exchanges: [cache(storage), auth, fetchExchange],
  });
  return { client, wire, session };
}

const warnings: unknown[][] = [];
for (const level of ['warn', 'error'] as const) {
  console[level] = (...said: unknown[]) => warnings.push(said);
}

const COUNT = 25;
const listed: ContactsQueryVariables = { orderBy: [{ name: 'ASC' }], search: 'company', first: 10 };
let session: Session;
let companies: ContactRowFragment[];

before(async () => {
  session = await Session.logIn(admin);
  companies = await addCompanies(session, COUNT);
});

function names(result: OperationResult<ContactsQuery, ContactsQueryVariables>): string[] | undefined {
  assert.equal(result.error, undefined);
  return result.data?.contacts.edges.map(({ node }) => node.name);
}

/** Shows a list from now on; `until` resolves when what is shown holds. */
function shown(client: Client, variables: ContactsQueryVariables) {
  let look = () => {};
  let data: ContactsQuery | undefined;
  client.query(ContactsDocument, variables).subscribe((result) => {
    data = result.data;
    look();
  });
  return (holds: (data: ContactsQuery) => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('the client does not show it')), PATIENCE);
      look = () => {
        if (!data || !holds(data)) return;
        clearTimeout(late);
        resolve();
      };
      look();
    });
}

test('a list and a page of details share one object, and a change shows in both', async () => {
  const { client, wire } = tab(session);
  const until = shown(client, listed);
  await until(({ contacts }) => contacts.edges.length === 10);
  const { id, revision } = companies[0];
  const { data: details } = await client.query(ContactDocument, { id });
  assert.equal(details?.contact?.emails[0].address, 'info@company01.example');
  wire.take();

  const input = { id, expectedRevision: revision, addresses: [{ city: 'Wien', country: 'Austria' }] };
  const { data } = await client.mutation(UpdateContactDocument, { input });
  assert.deepEqual(data?.updateContact.userErrors, []);
  await until(({ contacts }) => contacts.edges[0].node.city === 'Wien');
  assert.deepEqual(wire.take(), ['UpdateContact'], 'nothing is asked again');
  assert.equal(client.readQuery(ContactDocument, { id })?.data?.contact?.city, 'Wien');
});

test('pages are one list, and each filter has its own', async () => {
  const { client, wire } = tab(session);
  const list = (variables: ContactsQueryVariables) => client.query(ContactsDocument, variables).toPromise();
  let page = await list(listed);
  while (page.data?.contacts.pageInfo.hasNextPage) {
    page = await list({ ...listed, after: page.data.contacts.pageInfo.endCursor });
  }
  assert.deepEqual(names(page), companies.map(({ name }) => name));
  assert.equal(page.data?.contacts.totalCount, COUNT);
  assert.deepEqual(wire.take(), ['Contacts', 'Contacts', 'Contacts']);

  assert.deepEqual(names(await list({ ...listed, search: 'company 07' })), ['Company 07']);
  assert.equal(names(await list(listed))?.length, COUNT);
  assert.deepEqual(wire.take(), ['Contacts']);
});

test('a CONFLICT brings the row as it is now, and the cache takes it', async () => {
  const { client, wire } = tab(session);
  const until = shown(client, listed);
  await until(({ contacts }) => contacts.edges.length === 10);
  const { id, revision } = companies[1];
  const elsewhere = { id, expectedRevision: revision, notes: 'From elsewhere', tags: ['vip'] };
  await ask(UpdateContactDocument, { input: elsewhere }, session.accessToken);
  wire.take();

  const input = { id, expectedRevision: revision, tags: ['late'] };
  const { data } = await client.mutation(UpdateContactDocument, { input });
  assert.deepEqual(data?.updateContact.userErrors.map(({ code }) => code), ['CONFLICT']);
  const row = ({ contacts }: ContactsQuery) => contacts.edges[1].node;
  await until((data) => row(data).revision === revision + 1 && row(data).tags[0] === 'vip');

  const merged = { ...input, expectedRevision: revision + 1 };
  const second = await client.mutation(UpdateContactDocument, { input: merged });
  assert.deepEqual(second.data?.updateContact.userErrors, []);
  await until((data) => row(data).tags[0] === 'late');
  assert.deepEqual(wire.take(), ['UpdateContact', 'UpdateContact']);
});

test('a new row joins the list, and a deleted one leaves it', async () => {
  const { client } = tab(session);
  const variables = { ...listed, search: 'lantern' };
  const until = shown(client, variables);
  await until(({ contacts }) => contacts.edges.length === 0);
  const input = { contact: { kind: 'COMPANY' as const, name: 'Lantern Bakery' } };
  const { data } = await client.mutation(CreateContactDocument, { input });
  await until(({ contacts }) => contacts.edges[0]?.node.name === 'Lantern Bakery');

  const contact = data?.createContact.contact;
  assert(contact);
  const { data: deleted } = await client.mutation(DeleteContactDocument, {
    id: contact.id,
    expectedRevision: contact.revision,
  });
  assert.deepEqual(deleted?.deleteContact.userErrors, []);
  await until(({ contacts }) => contacts.edges.length === 0);
});

test('what the roles do not suffice for is null beside the rest, with its error', async () => {
  const { client, wire } = tab(await Session.logIn(staff));
  const { data, error } = await client.query(OverviewDocument, {});
  assert.equal(data?.newest?.nodes?.length, 5);
  assert.equal(data?.deadLetters, null);
  assert(error);
  const [{ path, extensions }, ...others] = error.graphQLErrors;
  assert.deepEqual([path, extensions.code, others], [['deadLetters'], 'FORBIDDEN', []]);

  // The null is not kept as if it were an answer.
  wire.take();
  await client.query(OverviewDocument, {});
  assert.deepEqual(wire.take(), ['Overview']);
});

/** A storage that outlives clients; `written` resolves when a key with this text is in it. */
class Kept implements StorageAdapter {
  entries: SerializedEntries = {};
  #look = () => {};

  async writeData(delta: SerializedEntries): Promise<void> {
    Object.assign(this.entries, delta);
    this.#look();
  }

  async readData(): Promise<SerializedEntries> {
    return this.entries;
  }

  written(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${text} was not kept`)), PATIENCE);
      this.#look = () => {
        if (!Object.keys(this.entries).some((key) => key.includes(text))) return;
        clearTimeout(late);
        resolve();
      };
      this.#look();
    });
  }
}

test('what has no id stays where it stands, also in a cache that was kept', async () => {
  const storage = new Kept();
  const { client } = tab(session, storage);
  const ids = companies.slice(2, 4).map(({ id }) => id);
  for (const id of ids) await client.query(ContactDocument, { id });
  await client.query(CompaniesWithPeopleDocument, {});
  await client.query(ContactsByKindDocument, {});
  await storage.written('contactsAggregate');

  const { client: later, wire } = tab(session, storage);
  const fromCache = { requestPolicy: 'cache-only' } as const;
  for (const [index, id] of ids.entries()) {
    const { data } = await later.query(ContactDocument, { id }, fromCache);
    assert.equal(data?.contact?.emails[0].address, `info@company0${index + 3}.example`);
  }
  const { data } = await later.query(ContactsByKindDocument, {}, fromCache);
  assert.deepEqual(data?.contactsAggregate.map(({ key, count }) => [key.kind, count]), [['COMPANY', COUNT]]);
  assert.deepEqual(wire.take(), []);
});

test('fragments on interfaces find their types', async () => {
  const { client } = tab(session);
  const { data } = await client.query(SearchDocument, { text: 'company 05' });
  assert.deepEqual(data?.search.map((found) => 'kind' in found && found.name), ['Company 05']);
});

test('two queries of an expired access token refresh it once', async () => {
  const { client, wire, session: own } = tab((await Session.logIn(admin)).expired());
  const [me, contacts] = await Promise.all([
    client.query(MeDocument, {}),
    client.query(ContactsDocument, { ...listed, first: 3 }),
  ]);
  assert.equal(me.data?.me?.email, admin);
  assert.equal(names(contacts)?.length, 3);
  assert.equal(own.refreshes, 1);
  assert.deepEqual(wire.take().sort(), ['Contacts', 'Contacts', 'Me', 'Me']);
});

test('two tabs that refresh at once go on with the same tokens', async () => {
  const one = await Session.logIn(admin);
  const tabs = [tab(one.expired()), tab(one.expired())];
  const fresh = { requestPolicy: 'network-only' } as const;
  const me = () => Promise.all(tabs.map(({ client }) => client.query(MeDocument, {}, fresh)));
  for (const { data } of await me()) assert.equal(data?.me?.email, admin);
  const [first, second] = tabs.map(({ session }) => session);
  assert.equal(first.refreshToken, second.refreshToken);
  assert.notEqual(first.refreshToken, one.refreshToken);

  for (const { session } of tabs) session.accessToken = 'expired';
  for (const { data } of await me()) assert.equal(data?.me?.email, admin);
  assert.deepEqual([first.refreshes, second.refreshes], [2, 2]);
});

test('the client has nothing to warn of', () => {
  assert.deepEqual(warnings, []);
});
