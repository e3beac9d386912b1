"""The audit log: who did what.  Does not know pymongo or HTTP."""
