"""The vector index and the lexical index, kept in sync with SQL, and the retriever over both."""
