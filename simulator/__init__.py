"""Simulated venues: a small matching engine behind each venue's own wire."""
