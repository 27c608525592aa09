"""The room where a configuration file becomes the words of the house.

In:    the text of office.toml.
Out:   a `model.Site` that needs no further doubt, or `problem.ConfigError` with every problem at once.
Files: reader (load, parse) · table (keys, kinds, sections) · problem · lines (which line a key stands on) ·
       units · addresses · office · calendar · uplinks · applications · policies · matching · inside · feed ·
       targets · doors · notify · presets (the catalogue, its files in catalogue/) ·
       shelf (reads them, where a preset is used) · differences (what a reload changes, in sentences).
       A key is declared in one place, beside the code that reads it; docs/configuration.md is printed from there.
Never: guesses a unit, drops a key in silence, looks at the machine it runs on, or repeats a secret in a message.
"""
