"""Taking in institutions' own files."""
