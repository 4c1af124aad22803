"""YAML to rules, with every mistake at its line and column.

Start at `loader.load_rules`; to add a condition, at `conditions.CONDITIONS`.
"""
