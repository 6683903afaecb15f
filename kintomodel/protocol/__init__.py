"""What Kinto says: values and pure functions, without I/O, clock or state."""
