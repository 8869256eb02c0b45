// Apollo Client 4 against the running server.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  HttpLink,
  InMemoryCache,
  type NormalizedCacheObject,
} from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { relayStylePagination } from '@apollo/client/utilities';
import { from, switchMap } from 'rxjs';
import {
  CompaniesWithPeopleDocument,
  ContactDocument,
  ContactRowFragmentDoc,
  ContactsByKindDocument,
  ContactsDocument,
  CreateContactDocument,
  DeleteContactDocument,
  MeDocument,
  SearchDocument,
  UpdateContactDocument,
  type ContactRowFragment,
  type ContactsQueryVariables,
} from '../generated/operations.js';
import { OverviewDocument } from '../generated/partial.js';
import { Session, Wire, addCompanies, admin, ask, fact, isUnauthenticated, staff, url } from './server.js';

/** How long an event may take that must come. */
const PATIENCE = 10_000;

function cache(): InMemoryCache {
  // A part has no id: it is a part of what it stands in, and is replaced with it.
  const parts = fact<string[]>('keyless.json').map((type) => [type, { keyFields: false }]);
  return new InMemoryCache({
    possibleTypes: fact<Record<string, string[]>>('possible_types.json'),
    typePolicies: {
      ...Object.fromEntries(parts),
      Query: {
        fields: {
          contacts: relayStylePagination(['where', 'search', 'orderBy', 'deleted']),
          contact: (known, { args, toReference }) =>
            known ?? toReference({ __typename: 'Contact', id: args?.id }),
        },
      },
    },
  });
}

/** A client as one tab has it: it sends its token, and gets a new one when it is refused. */
function tab(session: Session) {
  const wire = new Wire();
  const link = ApolloLink.from([
    new ErrorLink(({ error, operation, forward }) => {
      if (!CombinedGraphQLErrors.is(error) || !error.errors.some(isUnauthenticated)) return;
      return from(session.refresh()).pipe(switchMap(() => forward(operation)));
    }),
    new SetContextLink(({ headers }) => ({
      headers: { ...headers, authorization: `Bearer ${session.accessToken}` },
    })),
    new HttpLink({ uri: url, fetch: wire.fetch }),
  ]);
  return { client: new ApolloClient({ link, cache: cache() }), wire, session };
}

/** Resolves when the client shows what holds. */
function until<T>(
  shown: { subscribe(next: (value: T) => void): unknown },
  holds: (value: T) => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the client does not show it')), PATIENCE);
    shown.subscribe((value) => {
      if (!holds(value)) return;
      clearTimeout(late);
      resolve();
    });
  });
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

test('a list and a page of details share one object, and a change shows in both', async () => {
  const { client, wire } = tab(session);
  const list = client.watchQuery({ query: ContactsDocument, variables: listed });
  const changed = until(
    list,
    ({ data, dataState }) => dataState === 'complete' && data.contacts.edges[0].node.city === 'Wien',
  );
  await client.query({ query: ContactsDocument, variables: listed });
  const { id, revision } = companies[0];
  const { data: details } = await client.query({ query: ContactDocument, variables: { id } });
  assert.equal(details?.contact?.emails[0].address, 'info@company01.example');
  wire.take();

  const input = { id, expectedRevision: revision, addresses: [{ city: 'Wien', country: 'Austria' }] };
  const { data } = await client.mutate({ mutation: UpdateContactDocument, variables: { input } });
  assert.deepEqual(data?.updateContact.userErrors, []);
  await changed;
  assert.deepEqual(wire.take(), ['UpdateContact'], 'nothing is asked again');
  assert.equal(client.readQuery({ query: ContactDocument, variables: { id } })?.contact?.city, 'Wien');
});

test('pages are one list, and each filter has its own', async () => {
  const { client, wire } = tab(session);
  const list = client.watchQuery({ query: ContactsDocument, variables: listed });
  const whole = until(
    list,
    ({ data, dataState }) => dataState === 'complete' && data.contacts.edges.length === COUNT,
  );
  let page = (await client.query({ query: ContactsDocument, variables: listed })).data?.contacts;
  while (page?.pageInfo.hasNextPage) {
    const after = page.pageInfo.endCursor;
    page = (await list.fetchMore({ variables: { after } })).data?.contacts;
  }
  await whole;
  const contacts = client.readQuery({ query: ContactsDocument, variables: listed })?.contacts;
  assert.deepEqual(contacts?.edges.map(({ node }) => node.name), companies.map(({ name }) => name));
  assert.equal(contacts?.totalCount, COUNT);
  assert.deepEqual(wire.take(), ['Contacts', 'Contacts', 'Contacts']);

  const variables = { ...listed, search: 'company 07' };
  const { data: found } = await client.query({ query: ContactsDocument, variables });
  assert.deepEqual(found?.contacts.edges.map(({ node }) => node.name), ['Company 07']);
  const again = client.readQuery({ query: ContactsDocument, variables: listed });
  assert.equal(again?.contacts.edges.length, COUNT);
});

test('a CONFLICT brings the row as it is now, and the cache takes it', async () => {
  const { client, wire } = tab(session);
  await client.query({ query: ContactsDocument, variables: listed });
  const { id, revision } = companies[1];
  const elsewhere = { id, expectedRevision: revision, notes: 'From elsewhere', tags: ['vip'] };
  await ask(UpdateContactDocument, { input: elsewhere }, session.accessToken);
  wire.take();

  const input = { id, expectedRevision: revision, tags: ['late'] };
  const { data } = await client.mutate({ mutation: UpdateContactDocument, variables: { input } });
  assert.deepEqual(data?.updateContact.userErrors.map(({ code }) => code), ['CONFLICT']);
  const row = client.readFragment({
    fragment: ContactRowFragmentDoc,
    fragmentName: 'ContactRow',
    from: { __typename: 'Contact', id },
  });
  assert.deepEqual([row?.tags, row?.revision], [['vip'], revision + 1]);

  const merged = { ...input, expectedRevision: row?.revision ?? 0 };
  const second = await client.mutate({ mutation: UpdateContactDocument, variables: { input: merged } });
  assert.deepEqual(second.data?.updateContact.userErrors, []);
  assert.deepEqual(wire.take(), ['UpdateContact', 'UpdateContact']);
});

test('a new row joins the list, and a deleted one leaves it', async () => {
  const { client, wire } = tab(session);
  const variables = { ...listed, search: 'lantern' };
  await client.query({ query: ContactsDocument, variables });
  const names = () =>
    client.readQuery({ query: ContactsDocument, variables })?.contacts.edges.map(({ node }) => node.name);

  const input = { contact: { kind: 'COMPANY' as const, name: 'Lantern Bakery' } };
  const { data } = await client.mutate({
    mutation: CreateContactDocument,
    variables: { input },
    update: (cache, { data }) => {
      const contact = data?.createContact.contact;
      cache.updateQuery({ query: ContactsDocument, variables }, (known) => {
        if (!known || !contact) return known;
        const edges = [{ __typename: 'ContactEdge', cursor: '', node: contact }, ...known.contacts.edges];
        return { contacts: { ...known.contacts, edges } };
      });
    },
  });
  assert.deepEqual(names(), ['Lantern Bakery']);

  const contact = data?.createContact.contact;
  assert(contact);
  const { data: deleted } = await client.mutate({
    mutation: DeleteContactDocument,
    variables: { id: contact.id, expectedRevision: contact.revision },
    update: (cache) => {
      cache.evict({ id: cache.identify({ __typename: 'Contact', id: contact.id }) });
      cache.gc();
    },
  });
  assert.deepEqual(deleted?.deleteContact.userErrors, []);
  assert.deepEqual(names(), []);
  assert.deepEqual(wire.take(), ['Contacts', 'CreateContact', 'DeleteContact']);
});

test('what the roles do not suffice for is null beside the rest, with its error', async () => {
  const { client } = tab(await Session.logIn(staff));
  const { data, error } = await client.query({ query: OverviewDocument, errorPolicy: 'all' });
  assert.equal(data?.newest?.nodes?.length, 5);
  assert.equal(data?.deadLetters, null);
  assert(CombinedGraphQLErrors.is(error));
  const [{ path, extensions }, ...others] = error.errors;
  assert.deepEqual([path, extensions?.code, others], [['deadLetters'], 'FORBIDDEN', []]);

  // Who does not want parts of an answer gets the error alone.
  const whole = client.query({ query: OverviewDocument, fetchPolicy: 'network-only' });
  await assert.rejects(whole, CombinedGraphQLErrors);
});

test('what has no id stays where it stands, also in a cache that was kept', async () => {
  const { client } = tab(session);
  const ids = companies.slice(2, 4).map(({ id }) => id);
  for (const id of ids) await client.query({ query: ContactDocument, variables: { id } });
  await client.query({ query: ContactsByKindDocument });
  await client.query({ query: CompaniesWithPeopleDocument });
  const kept: NormalizedCacheObject = JSON.parse(JSON.stringify(client.cache.extract()));
  for (const key of Object.keys(kept)) {
    assert.match(key, /^(ROOT_QUERY|(Contact|User|Organisation):[a-z]+_\w{26}|__META)$/);
  }

  const { client: later, wire } = tab(session);
  later.cache.restore(kept);
  for (const [index, id] of ids.entries()) {
    const { data } = await later.query({ query: ContactDocument, variables: { id }, fetchPolicy: 'cache-only' });
    assert.equal(data?.contact?.emails[0].address, `info@company0${index + 3}.example`);
  }
  const { data } = await later.query({ query: ContactsByKindDocument, fetchPolicy: 'cache-only' });
  assert.deepEqual(data?.contactsAggregate.map(({ key, count }) => [key.kind, count]), [['COMPANY', COUNT]]);
  assert.deepEqual(wire.take(), []);
});

test('fragments on interfaces find their types', async () => {
  const { client } = tab(session);
  const { data } = await client.query({ query: SearchDocument, variables: { text: 'company 05' } });
  assert.deepEqual(data?.search.map((found) => 'kind' in found && found.name), ['Company 05']);
});

test('two queries of an expired access token refresh it once', async () => {
  const { client, wire, session: own } = tab((await Session.logIn(admin)).expired());
  const variables = { ...listed, first: 3 };
  const [me, contacts] = await Promise.all([
    client.query({ query: MeDocument }),
    client.query({ query: ContactsDocument, variables }),
  ]);
  assert.equal(me.data?.me?.email, admin);
  assert.equal(contacts.data?.contacts.edges.length, 3);
  assert.equal(own.refreshes, 1);
  assert.deepEqual(wire.take().sort(), ['Contacts', 'Contacts', 'Me', 'Me']);
});

test('two tabs that refresh at once go on with the same tokens', async () => {
  const one = await Session.logIn(admin);
  const tabs = [tab(one.expired()), tab(one.expired())];
  const fresh = { query: MeDocument, fetchPolicy: 'network-only' } as const;
  const me = () => Promise.all(tabs.map(({ client }) => client.query(fresh)));
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
