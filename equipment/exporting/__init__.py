"""Giving the catalogue back in the forms that institutions have to hand in."""
