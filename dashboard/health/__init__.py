"""How this installation is, told to whoever asks even while its pages cannot be: by threads and a connection of its own."""
