"""What Lockstep asks of a target database: who it is, who is in the way, what is in it."""
