"""The arithmetic of forecasts. Pure: months, deals as they were known, the model, its test on the past, gaps taken apart."""
