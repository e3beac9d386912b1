"""The vault's data in MongoDB: opaque bytes and metadata.  Only this and ``mongo_admin`` know pymongo."""
