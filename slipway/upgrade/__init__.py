"""From one version of Harbor's chart to the next: a plan, then the steps."""
