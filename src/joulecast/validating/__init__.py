"""Forecasts against published runs: records, benchmark, gates, calibration."""
