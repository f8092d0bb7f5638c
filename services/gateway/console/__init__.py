"""The web console: templates, style and scripts, and what renders them."""
