DROP TABLE refresh_tokens, login_sessions, users, organisations, accounts;
DROP FUNCTION forget_session;
