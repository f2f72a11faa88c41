"""Fits utilisation, power and PUE to a person's own past runs."""
