"""What stands in the way of an environment, on this machine and wherever it reaches; nothing is changed anywhere.

One file for each group of checks, in the order of catalogue.py; docs/doctor.md lists them all.
"""
