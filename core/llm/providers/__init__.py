"""One vendor a file, behind ``core.llm.types.Provider``; nothing else imports a vendor's SDK.

A provider makes one attempt: no retries, no caches, no time limits but the last resort of its HTTP client. Those are the router's.
``providers.making`` is the way in; it imports a vendor's SDK only when that vendor is configured.
"""
