"""Tests, mirroring the rooms of the packages."""
