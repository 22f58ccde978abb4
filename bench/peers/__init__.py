"""Benchmarks of Footnote against LangChain, LlamaIndex and txtai, each as its documentation teaches it."""
