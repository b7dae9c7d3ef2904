"""Where one commit stands between Git and the registry's URL, read from any cluster."""
