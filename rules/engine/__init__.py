"""Rules at work: which rules fire for a moment of a match, and the alerts that they make.

Start at `evaluate.evaluate`, which makes `alert.Alert` values of a `rule.RuleSet` and a moment.
"""
