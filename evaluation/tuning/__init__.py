"""Fine-tuning a tenant's embedding model: pairs, training, evaluation, and the swap to the new one."""
