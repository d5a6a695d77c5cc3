"""Which model is asked, what happens when it fails, and what all of it may cost; itself a provider (``router.Router``)."""
