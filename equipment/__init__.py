"""What can be booked: the catalogue, its units, opening hours, rates and rules."""
