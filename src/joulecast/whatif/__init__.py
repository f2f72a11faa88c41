"""The next question: sweep, compare, solve, drivers."""
