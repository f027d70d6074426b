"""The demonstration: a cast, a catalogue, a story that goes on, a mailbox and a clock that can be moved."""
