"""The mapper: records with their data as typed attributes."""
