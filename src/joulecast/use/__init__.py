"""The use phase of a plan, resolved and computed."""
