// The first page after log-in. What may fail alone is caught where it stands: the rest is there.

import { graphql } from 'relay-runtime';

export const overview = graphql`
  query overviewQuery @throwOnFieldError {
    me {
      name
      permissions
    }
    contacts(first: 5) {
      totalCount
      nodes {
        id
        name
      }
    }
    deadLetters(first: 5) @catch(to: RESULT) {
      totalCount
      nodes {
        id
        summary
      }
    }
  }
`;

// Anything by its id.
export const node = graphql`
  query overviewNodeQuery($id: ID!) @throwOnFieldError {
    node(id: $id) {
      __typename
      ... on Contact {
        name
      }
      ... on Product {
        name
      }
    }
    search(text: "zoe", types: [CONTACT]) {
      id
    }
  }
`;
