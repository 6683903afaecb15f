"""What a model declares, and how its values become JSON and come back."""
