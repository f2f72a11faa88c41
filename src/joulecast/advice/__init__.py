"""What to change: the changes open to a plan, ranked by what they would save."""
