"""A server beside what it is to hold: plans of buckets, groups, collections, records and accounts."""
