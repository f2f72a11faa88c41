"""Scaling laws: constants with their joint uncertainty, optima, repeated data."""
