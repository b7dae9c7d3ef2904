"""Requests of Harbor's API, one module per part; every function is pure and gives a Request or Pages."""
