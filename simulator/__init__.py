"""Venues in a box: a small matching engine behind each venue's own wire."""
