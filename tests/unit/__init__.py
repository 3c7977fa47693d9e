"""What the clinic does, without storage, screens or paper."""
