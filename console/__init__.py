"""What staff and operators touch: the app, its pages, the command line."""
