"""`config.yaml`: read, checked, reloaded, with every mistake at its place; and the versions of the rules.

Start at `load.load_config`.
"""
