"""Who may do what: scopes, paths and the format of tokens. Pure rules, used by every domain."""
