// Contacts: a list that loads more, a row, and forms whose answers update the store by themselves.

import { graphql } from 'relay-runtime';

export const list = graphql`
  query contactsListQuery($search: String, $orderBy: [ContactOrderBy!]) @throwOnFieldError {
    ...contactsList @arguments(search: $search, orderBy: $orderBy)
  }
`;

export const rows = graphql`
  fragment contactsList on Query
  @argumentDefinitions(
    search: { type: "String" }
    orderBy: { type: "[ContactOrderBy!]" }
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
  )
  @refetchable(queryName: "contactsListPageQuery")
  @throwOnFieldError {
    contacts(search: $search, orderBy: $orderBy, first: $count, after: $cursor)
      @connection(key: "contactsList_contacts") {
      totalCount
      edges {
        node {
          id
          ...contactsRow
        }
      }
    }
  }
`;

export const row = graphql`
  fragment contactsRow on Contact @throwOnFieldError {
    name
    kind
    tags
    company {
      name
    }
    firstPeople: people(first: 3) {
      totalCount
      nodes {
        name
      }
    }
  }
`;

// The people of a company, a list below a row that can load more by the row's id.
export const people = graphql`
  fragment contactsPeople on Contact
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 10 }
    cursor: { type: "String" }
  )
  @refetchable(queryName: "contactsPeoplePageQuery")
  @throwOnFieldError {
    people(first: $count, after: $cursor, orderBy: [{ name: ASC }])
      @connection(key: "contactsPeople_people", filters: []) {
      edges {
        node {
          id
          name
        }
      }
    }
  }
`;

export const details = graphql`
  query contactsDetailsQuery($id: ID!) @throwOnFieldError {
    contact(id: $id) {
      ...contactsRow
      ...contactsPeople
      customFields
      createdAt
      revision
      createdBy {
        name
      }
    }
  }
`;

export const figures = graphql`
  query contactsFiguresQuery($from: DateTime!, $to: DateTime!) @throwOnFieldError {
    byMonth: contactsAggregate(
      groupBy: { createdAt: { bucket: MONTH, from: $from, to: $to } }
    ) {
      key {
        createdAt
      }
      count
    }
    topTen: contactsAggregate(
      groupBy: { country: true }
      orderBy: [{ count: DESC }]
      first: 10
    ) {
      key {
        country
      }
      count
    }
  }
`;

export const create = graphql`
  mutation contactsCreateMutation($input: CreateContactInput!, $connections: [ID!]!) {
    createContact(input: $input) {
      contact @prependNode(connections: $connections, edgeTypeName: "ContactEdge") {
        id
        ...contactsRow
      }
      userErrors {
        code
        message
        field
      }
    }
  }
`;

// With CONFLICT the contact is the current row, which the store takes by its id.
export const update = graphql`
  mutation contactsUpdateMutation($input: UpdateContactInput!) {
    updateContact(input: $input) {
      contact {
        id
        revision
        ...contactsRow
      }
      userErrors {
        code
        message
        field
      }
    }
  }
`;

export const remove = graphql`
  mutation contactsDeleteMutation($input: DeleteContactInput!) {
    deleteContact(input: $input) {
      contact {
        id @deleteRecord
      }
      userErrors {
        code
        message
      }
    }
  }
`;
