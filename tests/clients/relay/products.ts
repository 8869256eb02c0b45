// Products: a list that loads more, and figures.

import { graphql } from 'relay-runtime';

export const list = graphql`
  query productsListQuery($where: ProductFilter) @throwOnFieldError {
    ...productsList @arguments(where: $where)
    productsAggregate(where: $where, groupBy: { category: true }) {
      key {
        category
      }
      count
      avg {
        margin
      }
    }
  }
`;

export const rows = graphql`
  fragment productsList on Query
  @argumentDefinitions(
    where: { type: "ProductFilter" }
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
  )
  @refetchable(queryName: "productsListPageQuery")
  @throwOnFieldError {
    products(where: $where, first: $count, after: $cursor)
      @connection(key: "productsList_products") {
      edges {
        node {
          id
          name
          clientPrice
          margin
          active
        }
      }
    }
  }
`;

export const update = graphql`
  mutation productsUpdateMutation($input: UpdateProductInput!) {
    updateProduct(input: $input) {
      product {
        id
        clientPrice
        margin
        revision
      }
      userErrors {
        code
        message
        field
      }
    }
  }
`;
