"""One line of migrations for both engines."""
