"""The roof: assembles the packages into one application, one clock and one command."""
