"""How the shipped matcher was trained; needs the training environment, nothing here serves customers."""
