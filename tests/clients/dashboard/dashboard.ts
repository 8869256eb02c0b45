// A piece of a dashboard, typed by what was generated: it compiles only as long as what is null
// where a field failed, and nowhere else, is not null for clients that handle errors.

import type {
  ContactsByMonthQuery,
  ContactsQuery,
  CompaniesWithPeopleQuery,
  ErrorCode,
  MarginsByCategoryQuery,
  MeQuery,
  NodeQuery,
  OverviewQuery,
  Permission,
  SearchQuery,
  UpdateContactMutation,
  WebhookEndpointQuery,
} from '../generated/types.js';

/** The line of the first row. */
export function firstRow(data: ContactsQuery): string {
  return data.contacts.edges[0].node.name;
}

export function newest(data: OverviewQuery): string {
  return data.newest.nodes[0].name;
}

/** Lists in lists. */
export function people(data: CompaniesWithPeopleQuery): string[] {
  return data.contacts.nodes.flatMap(({ name, people }) =>
    people.nodes.map((person) => `${person.name}, ${name} (${people.totalCount})`),
  );
}

/** A chart's points: when, and how many. */
export function chart(data: ContactsByMonthQuery): [Date | null, number][] {
  return data.contactsAggregate.map(({ key, count }) => [key.createdAt ? new Date(key.createdAt) : null, count]);
}

/** Decimals are texts, so that no digit is lost on the way. */
export function margins(data: MarginsByCategoryQuery): string[] {
  return data.productsAggregate.map(({ key, avg }) => `${key.category ?? 'none'}: ${avg.margin ?? '-'}`);
}

export function failures(data: WebhookEndpointQuery): number {
  return data.webhookEndpoint?.deliveries.totalCount ?? 0;
}

/** Whether to show a button. */
export function may(data: MeQuery, permission: Permission): boolean {
  return data.me?.permissions.includes(permission) ?? false;
}

/** What a form says after it was sent. */
export function answer({ updateContact: { contact, userErrors } }: UpdateContactMutation): string {
  if (userErrors.length === 0) return `Saved as revision ${contact?.revision}`;
  return userErrors.map(({ code, message, field }) => `${advice(code)} ${field?.join('.')}: ${message}`).join('\n');
}

/** Every code is known: a new one does not compile until it has its advice. */
function advice(code: ErrorCode): string {
  switch (code) {
    case 'CONFLICT':
      return 'Look at the current row.';
    case 'INVALID':
    case 'ALREADY_EXISTS':
      return 'Mend the field.';
    case 'NOT_FOUND':
    case 'INVALID_TRANSITION':
    case 'LIMIT_REACHED':
    case 'NOT_ALLOWED':
      return 'This cannot be done.';
  }
}

/** The type that `__typename` names is known where it is compared. */
export function title(node: NodeQuery['node'] | SearchQuery['search'][number]): string {
  switch (node?.__typename) {
    case 'Contact':
      return `${node.name}, ${node.kind === 'PERSON' ? 'a person' : 'a company'}`;
    case 'Product':
      return `${node.name}, ${node.category ?? 'no category'}`;
    case 'User':
      return `${node.name} <${node.email}>`;
    default:
      return node?.id ?? 'nothing';
  }
}
