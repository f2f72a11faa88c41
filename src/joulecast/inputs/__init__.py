"""Files that people have: one small reader each."""
