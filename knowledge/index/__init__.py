"""The vector index and the word index, kept in step with SQL, and the retriever over both."""
