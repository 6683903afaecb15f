"""Work that takes several requests, or one that may have to be repeated: generators of operations."""
