"""How long tests wait for what must come. Nothing fails for being slow: how fast things are is for bench/ to say."""

PATIENCE_S = 30.0
"""The deadline of a condition: many times what it takes, for the machine may be busy with other things."""
