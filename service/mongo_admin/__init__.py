"""Administration of MongoDB itself: replica set, members, users, upgrades."""
