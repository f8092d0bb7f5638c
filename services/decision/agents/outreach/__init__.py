"""outreach_writer: first messages by e-mail and WhatsApp, in Arabic and English, from facts that have a source."""
