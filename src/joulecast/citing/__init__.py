"""What a forecast rests on, in words and references fit for a paper."""
