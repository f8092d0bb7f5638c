"""The CRM: records of every kind, their history, search over them, and what people arrange around them."""
