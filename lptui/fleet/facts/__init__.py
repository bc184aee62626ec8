"""The values that readings carry, one module a subject. A class here is also a reading's topic."""
