"""What may leave when: waits between tries, circuit breakers, rates, and turns between tenants."""
