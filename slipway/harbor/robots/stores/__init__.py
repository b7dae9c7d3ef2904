"""Where a robot's secret goes. Each place holds one that is in use and, beside it, one that is not proven yet."""
