"""What tenants say of feature flags, and how flags stand for one key."""
