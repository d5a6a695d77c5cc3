"""Chooses models, fails over between them and enforces budgets; itself a provider (``router.Router``)."""
