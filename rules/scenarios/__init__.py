"""Matches written in a few lines of YAML, for rule tests, the demo and the simulator.

Start at `parser.parse_scenario` and `builder.build_packets`.
"""
