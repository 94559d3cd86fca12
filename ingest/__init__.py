"""The edge: the only sockets and HTTP. Frames in, questions out, nothing decided."""
