"""What a clinic is: its words, rules and policies, in standard-library Python only."""
