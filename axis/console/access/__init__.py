"""Who may come in: passwords, sessions, OpenID Connect."""
