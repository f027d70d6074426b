"""Pages on which a lab describes what can be booked."""
