"""Who may do what: scopes, paths and the form of tokens. Pure rules, used by every domain."""
