"""Forecasts from what happened: open deals weighted by how deals at their stage went, beside a seasonal baseline; tested on the past."""
