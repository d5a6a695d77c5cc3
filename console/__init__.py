"""Interfaces for staff and operators: the app, its pages, the command line."""
