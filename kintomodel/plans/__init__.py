"""What would change: how it is counted, shown, and carried out."""
