"""What each layer costs, beside its peers, in one run on a warm broker."""
