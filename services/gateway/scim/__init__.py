"""Provisioning by an identity provider (SCIM 2.0, RFC 7643 and 7644): people come, change their names, and are shut out."""
