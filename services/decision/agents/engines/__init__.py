"""What answers for each agent without a model: the product's own rules and reviewed texts."""
