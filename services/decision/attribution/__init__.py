"""What brought a deal: its touchpoints, weighed in several ways, and how far these agree."""
