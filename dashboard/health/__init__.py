"""How this installation is, told even while its pages cannot be: by threads and connections of its own."""
