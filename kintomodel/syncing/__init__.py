"""A collection beside what it should be: plans, and their execution."""
