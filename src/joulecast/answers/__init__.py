"""The nouns: what the verbs answer, as data that know nothing of how they are shown."""
