"""The proof kit: up, status, verify, upgrade and teardown on the real thing, within a spending limit, to a report.

Every part is the command that a person would type, run as a process of its own; nothing is done here a second time.
"""
