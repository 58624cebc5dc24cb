"""Notifications: the ways alerts leave the house."""
