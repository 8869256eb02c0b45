// What must not compile. Each line names the mistake that the types keep a dashboard from.

import type {
  ContactQuery,
  ContactsQuery,
  ContactsQueryVariables,
  CreateContactMutationVariables,
  LogInMutation,
  ProductsQuery,
  UpdateContactMutation,
} from '../generated/types.js';
import type { ContactsQuery as PartialContactsQuery } from '../generated/partial.js';

export function missing(one: ContactQuery, many: ContactsQuery): void {
  // @ts-expect-error: there may be no contact with this id
  one.contact.name;
  // @ts-expect-error: a contact may have no company
  one.contact?.company.name;
  // @ts-expect-error: the last page has no cursor
  many.contacts.pageInfo.endCursor.length;
  // @ts-expect-error: what was not asked for is not there
  many.contacts.edges[0].node.notes;
}

/** Who takes data beside errors must look at each field. */
export function failed(data: PartialContactsQuery): void {
  // @ts-expect-error: the field may have failed
  data.contacts.totalCount;
}

export function unread(updated: UpdateContactMutation, logIn: LogInMutation): void {
  // @ts-expect-error: with user errors there may be no contact
  updated.updateContact.contact.revision;
  // @ts-expect-error: with user errors there is no log-in
  logIn.logIn.logIn.accessToken;
}

export function values(one: ContactQuery, products: ProductsQuery): void {
  // @ts-expect-error: a decimal is a text
  products.products.edges[0].node.margin * 2;
  // @ts-expect-error: custom fields are whatever the organisation says
  one.contact?.customFields.size;
  // @ts-expect-error: no such kind
  if (one.contact?.kind === 'ANIMAL') return;
}

// @ts-expect-error: a contact needs a kind
export const incomplete: CreateContactMutationVariables = { input: { contact: { name: 'Ann' } } };

// @ts-expect-error: a key of an order names one field
export const ambiguous: ContactsQueryVariables = { orderBy: [{ name: 'ASC', createdAt: 'ASC' }] };
