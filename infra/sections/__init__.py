"""The sections of the settings, by what changes together; `infra.settings` puts them together."""
