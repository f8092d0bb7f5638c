"""Events that planes could not take, kept until a person has dealt with them."""
