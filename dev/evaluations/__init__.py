"""Labelled evaluation sets and the programs that measure against them."""
