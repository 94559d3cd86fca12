"""One partition's state, outputs and place in the inputs, changed together or not at all."""
