"""Catalogues: data with a typed loader, validated when first read."""
