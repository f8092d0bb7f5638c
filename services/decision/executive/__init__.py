"""The executive room: figures of the metric layer with what disputes them, risks, decisions that wait, and the plan."""
