"""AppRoles: roles that programs log in as, their secret ids, and the login."""
