// Log-in.

import { graphql } from 'relay-runtime';

export const logIn = graphql`
  mutation identityLogInMutation($input: LogInInput!) {
    logIn(input: $input) {
      logIn {
        accessToken
        refreshToken
        expiresAt
        user {
          id
          name
        }
      }
      userErrors {
        code
        message
      }
    }
  }
`;
