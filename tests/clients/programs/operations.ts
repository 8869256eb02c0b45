// Every operation of the dashboard, sent to the running server as it is: no errors, no user errors.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import type { DocumentNode } from 'graphql';
import * as operations from '../generated/operations.js';
import { Session, addCompanies, admin, ask } from './server.js';

/** What needs a link from a mail, a job that failed for hours, or is asked by `Session`. */
const ELSEWHERE = [
  'AcceptInvitation',
  'DismissDeadLetter',
  'LogIn',
  'RefreshLogIn',
  'ReplayDeadLetter',
  'ReplayWebhookDelivery',
  'ResetPassword',
  'SignUp',
  'VerifyEmail',
];
const asked = new Set<string>();
let session: Session;

function nameOf(document: DocumentNode): string | undefined {
  const operation = document.definitions.find(({ kind }) => kind === 'OperationDefinition');
  return operation?.kind === 'OperationDefinition' ? operation.name?.value : undefined;
}

/** Asks, and finds no user errors in the answer. */
async function done<Data extends object, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  asked.add(nameOf(document) ?? '');
  const data = await ask(document, variables, session.accessToken);
  for (const payload of Object.values(data) as ({ userErrors?: unknown[]; rowErrors?: unknown[] } | null)[]) {
    assert.deepEqual([...(payload?.userErrors ?? []), ...(payload?.rowErrors ?? [])], []);
  }
  return data;
}

before(async () => {
  session = await Session.logIn(admin);
  await addCompanies(session, 3);
  asked.add('CreateContacts');
});

test('users are listed, counted and invited', async () => {
  const { me } = await done(operations.MeDocument, {});
  assert(me?.permissions.includes('MANAGE_USERS'));
  const { users } = await done(operations.UsersDocument, {
    where: { roles: { has: 'STAFF' } },
    orderBy: [{ name: 'ASC' }],
  });
  assert.deepEqual(users.edges.map(({ node }) => node.roles), [['STAFF']]);
  const { usersAggregate } = await done(operations.UsersByActivityDocument, {});
  assert.equal(Number(usersAggregate[0].share.active), 1);
  await done(operations.InviteUserDocument, {
    input: { email: `new.${admin}`, firstName: 'New', lastName: 'User', roles: ['STAFF'] },
  });
  await done(operations.RequestPasswordResetDocument, { email: `nobody.${admin}` });
  await done(operations.RequestEmailVerificationDocument, {});
});

test('a contact is made, found, changed, deleted and restored', async () => {
  const addresses = [{ city: 'Wien', country: 'Austria' }];
  const company = { kind: 'COMPANY' as const, name: 'Lantern Bakery', addresses };
  const { createContact } = await done(operations.CreateContactDocument, { input: { contact: company } });
  const id = createContact.contact?.id ?? '';
  const person = { kind: 'PERSON' as const, name: 'Zoë Baker', companyId: id };
  await done(operations.CreateContactDocument, { input: { contact: person, idempotencyKey: 'zoe' } });

  const { contacts } = await done(operations.CompaniesWithPeopleDocument, {});
  assert.deepEqual(contacts.nodes.map(({ people }) => people.nodes[0].name), ['Zoë Baker']);
  const found = await done(operations.ContactsDocument, {
    where: { company: { name: { startsWith: 'lantern' } } },
    search: 'zoe',
    orderBy: [{ company: { name: 'ASC' } }, { createdAt: 'DESC' }],
  });
  assert.deepEqual([found.contacts.totalCount, found.contacts.edges[0].node.name], [1, 'Zoë Baker']);

  const { updateContact } = await done(operations.UpdateContactDocument, {
    input: { id, expectedRevision: 1, customFields: { size: 'L' }, phones: [{ number: '+43 1 234' }] },
  });
  assert.deepEqual(updateContact.contact?.customFields, { size: 'L' });
  await done(operations.DeleteContactDocument, { id, expectedRevision: 2 });
  const { contact } = await done(operations.ContactDocument, { id });
  assert.equal(contact, null);
  const deleted = await done(operations.ContactsDocument, { deleted: 'ONLY' });
  assert.deepEqual(deleted.contacts.edges.map(({ node }) => node.id), [id]);
  const { restoreContact } = await done(operations.RestoreContactDocument, { id, expectedRevision: 3 });
  assert.equal(restoreContact.contact?.deletedAt, null);
});

test('contacts are changed many at once, and imported', async () => {
  const { contacts } = await done(operations.ContactsDocument, { search: 'company', orderBy: [{ name: 'ASC' }] });
  const rows = (by: number) =>
    contacts.edges.map(({ node }) => ({ id: node.id, expectedRevision: node.revision + by }));
  const tagged = rows(0).map((row) => ({ ...row, tags: ['many'] }));
  const { updateContacts } = await done(operations.UpdateContactsDocument, { input: { contacts: tagged } });
  const { deleteContacts } = await done(operations.DeleteContactsDocument, { input: { contacts: rows(1) } });
  const { restoreContacts } = await done(operations.RestoreContactsDocument, { input: { contacts: rows(2) } });
  assert.deepEqual(
    [updateContacts.updatedCount, deleteContacts.deletedCount, restoreContacts.restoredCount],
    [3, 3, 3],
  );

  const csv = 'kind,name,country,remark\nCOMPANY,Alfreds,Germany,x\nCOMPANY,Bólido,Spain,y\n';
  const { importContacts } = await done(operations.ImportContactsDocument, { input: { csv } });
  assert.deepEqual([importContacts.createdCount, importContacts.ignoredColumns], [2, ['remark']]);
});

test('figures make charts: by month with gaps filled, by kind, the top ten', async () => {
  const year = { from: '2020-01-01T00:00:00Z', to: '2021-01-01T00:00:00Z', zone: 'UTC' };
  const { contactsAggregate: months } = await done(operations.ContactsByMonthDocument, year);
  assert.deepEqual([months.length, months[0].count], [12, 0]);
  const { contactsAggregate: kinds } = await done(operations.ContactsByKindDocument, {});
  assert.deepEqual(kinds.map(({ key, count }) => [key.kind, count]), [['COMPANY', 6], ['PERSON', 1]]);
  const { contactsAggregate: top } = await done(operations.TopTenCountriesDocument, {});
  assert(top.length >= 3 && top.length <= 10);
});

test('products have exact prices and margins', async () => {
  const product = { name: 'Flour', category: 'Food', ourCost: '1.10', clientPrice: '2.40' };
  const { createProduct } = await done(operations.CreateProductDocument, { input: { product } });
  const id = createProduct.product?.id ?? '';
  assert.equal(createProduct.product?.margin, '1.30');
  await done(operations.UpdateProductDocument, { input: { id, expectedRevision: 1, clientPrice: '2.50' } });
  await done(operations.DeleteProductDocument, { id, expectedRevision: 2 });
  await done(operations.RestoreProductDocument, { id, expectedRevision: 3 });
  const { product: one } = await done(operations.ProductDocument, { id });
  assert.equal(one?.revision, 4);
  assert(one.createdBy?.name);

  await done(operations.CreateProductsDocument, { input: { products: [{ name: 'Salt', clientPrice: '1' }] } });
  await done(operations.ImportProductsDocument, { input: { csv: 'name,clientPrice\nSugar,1.20\n' } });
  const { products } = await done(operations.ProductsDocument, { orderBy: [{ clientPrice: 'DESC' }] });
  assert.deepEqual(products.edges.map(({ node }) => node.name), ['Flour', 'Sugar', 'Salt']);
  const { productsAggregate } = await done(operations.MarginsByCategoryDocument, {});
  assert.deepEqual(productsAggregate.map(({ key }) => key.category), ['Food', null]);
});

test('anything is found by its words and by its id', async () => {
  const { search } = await done(operations.SearchDocument, { text: 'zoe', types: ['CONTACT'] });
  assert.equal(search[0].__typename === 'Contact' && search[0].name, 'Zoë Baker');
  const { id } = search[0];
  const { node } = await done(operations.NodeDocument, { id });
  assert.equal(node?.__typename === 'Contact' && node.revision, 1);
  const { nodes } = await done(operations.NodesDocument, { ids: [id] });
  assert.equal(nodes[0]?.id, id);
  const { newest } = await done(operations.OverviewDocument, {});
  assert.equal(newest.nodes.length, 5);
});

test('a webhook endpoint is set up, looked after and removed', async () => {
  const webhookEndpoint = { url: 'https://hooks.example/tessera', eventKinds: ['contact.*'] };
  const { createWebhookEndpoint } = await done(operations.CreateWebhookEndpointDocument, {
    input: { webhookEndpoint },
  });
  const id = createWebhookEndpoint.webhookEndpoint?.id ?? '';
  await done(operations.UpdateWebhookEndpointDocument, {
    input: { id, expectedRevision: 1, description: 'The shop' },
  });
  await done(operations.PingWebhookEndpointDocument, { id });
  const { rotateWebhookEndpoint } = await done(operations.RotateWebhookEndpointDocument, { id });
  assert.equal(rotateWebhookEndpoint.webhookEndpoint?.secrets?.length, 2);
  const { webhookEndpoint: one } = await done(operations.WebhookEndpointDocument, { id });
  assert.equal(one?.description, 'The shop');
  const { webhookEndpoints } = await done(operations.WebhookEndpointsDocument, {});
  assert.equal(webhookEndpoints.edges[0].node.deliveries.totalCount, 0);
  await done(operations.WebhookDeliveriesDocument, { where: { endpointId: { eq: id } } });
  await done(operations.DeliveriesByStateDocument, { since: '2020-01-01T00:00:00Z' });
  const { revision } = one ?? { revision: 0 };
  await done(operations.DeleteWebhookEndpointDocument, { id, expectedRevision: revision });
  await done(operations.RestoreWebhookEndpointDocument, { id, expectedRevision: revision + 1 });
});

test('there are no dead letters', async () => {
  const { deadLetters } = await done(operations.DeadLettersDocument, { where: { state: { eq: 'WAITING' } } });
  const { deadLettersAggregate } = await done(operations.DeadLettersByStateDocument, {});
  assert.deepEqual([deadLetters.totalCount, deadLettersAggregate], [0, []]);
});

test('every operation was asked', async () => {
  await done(operations.LogOutDocument, {});
  const all = Object.entries(operations).flatMap(([name, value]) =>
    name.endsWith('Document') ? [nameOf(value as DocumentNode)] : [],
  );
  assert.deepEqual([...asked, ...ELSEWHERE].sort(), all.sort());
});
