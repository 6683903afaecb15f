"""Records in files, one format in each module."""
