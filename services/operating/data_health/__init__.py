"""Quality and freshness of tenants' data, as data tells of them."""
