// What the Relay compiler's types say: what is null only where a field failed is not null below
// `@throwOnFieldError`, and a field that is caught says so.

import type { contactsDetailsQuery$data } from '../generated/relay/contactsDetailsQuery.graphql.js';
import type { contactsFiguresQuery$data } from '../generated/relay/contactsFiguresQuery.graphql.js';
import type { contactsList$data } from '../generated/relay/contactsList.graphql.js';
import type { contactsRow$data } from '../generated/relay/contactsRow.graphql.js';
import type { contactsUpdateMutation$data } from '../generated/relay/contactsUpdateMutation.graphql.js';
import type { overviewQuery$data } from '../generated/relay/overviewQuery.graphql.js';
import type { webhooksDeliveries$data } from '../generated/relay/webhooksDeliveries.graphql.js';

export function firstId(list: contactsList$data): string {
  return list.contacts.edges[0].node.id;
}

export function people(row: contactsRow$data): string {
  return `${row.firstPeople.nodes[0].name}, ${row.firstPeople.totalCount} in all`;
}

export function lastState(endpoint: webhooksDeliveries$data): 'DELIVERED' | 'FAILED' | 'PENDING' {
  return endpoint.deliveries.edges[0].node.state;
}

export function counts(figures: contactsFiguresQuery$data): number[] {
  return [...figures.byMonth, ...figures.topTen].map(({ count }) => count);
}

export function waiting({ contacts, deadLetters }: overviewQuery$data): string {
  const known = deadLetters.ok ? deadLetters.value.totalCount : 'not for you';
  return `${contacts.totalCount} contacts, dead letters: ${known}`;
}

export function refused(
  details: contactsDetailsQuery$data,
  updated: contactsUpdateMutation$data,
  overview: overviewQuery$data,
): void {
  // @ts-expect-error: there may be no contact with this id
  details.contact.createdAt;
  // @ts-expect-error: a mutation that failed has no payload
  updated.updateContact.userErrors;
  // @ts-expect-error: what is caught may have failed
  overview.deadLetters.value.totalCount;
}
