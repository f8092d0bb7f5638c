"""Policy bundles: proposed, compared, replayed, activated, in force."""
