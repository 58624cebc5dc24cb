"""The pages of the dashboard; each file is run by the door."""
