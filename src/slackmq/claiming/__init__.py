"""How to be the only one: one Protocol, one file a way."""
