"""Readable documents that planes give to people: PDF in Arabic and English, the same bytes for the same contents."""
