"""The ground floor: what every package stands on. No word of the domain appears here."""
