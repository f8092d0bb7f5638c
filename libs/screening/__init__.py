"""The security gate's eyes: reads texts for instructions, disguises, secrets, personal data and links. Pure; decides nothing."""
