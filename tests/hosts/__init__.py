"""Several hosts on one machine: network namespaces with their own addresses, and the system spread over them."""
