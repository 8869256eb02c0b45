// A webhook endpoint and its deliveries, newest first.

import { graphql } from 'relay-runtime';

export const endpoint = graphql`
  query webhooksEndpointQuery($id: ID!) @throwOnFieldError {
    webhookEndpoint(id: $id) {
      url
      eventKinds
      ...webhooksDeliveries
    }
  }
`;

export const deliveries = graphql`
  fragment webhooksDeliveries on WebhookEndpoint
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
  )
  @refetchable(queryName: "webhooksDeliveriesPageQuery")
  @throwOnFieldError {
    deliveries(first: $count, after: $cursor, orderBy: [{ createdAt: DESC }])
      @connection(key: "webhooksDeliveries_deliveries", filters: []) {
      edges {
        node {
          id
          eventKind
          state
          responseStatus
        }
      }
    }
  }
`;
