"""Queries of models: what is asked, what is found, and what is made of it."""
