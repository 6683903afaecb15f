"""The object client: buckets, collections, groups and records with their data as plain dicts."""
