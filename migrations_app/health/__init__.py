"""How this installation itself is: what its processes know of their database, their pools and each other."""
