"""How staff improve the knowledge: corrections, the review queue, and suggestions harvested from conversations."""
