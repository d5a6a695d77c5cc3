"""One module per vendor, behind ``core.llm.types.Provider``; nothing else imports a vendor's SDK.

A provider makes a single attempt: no retries, no caches, and no timeouts except a generous one in its HTTP client; the router
adds those. ``providers.factory`` is the entry point; it imports a vendor's SDK only if that vendor is configured.
"""
