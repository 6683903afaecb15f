"""Records that are saved and deleted, one or many."""
