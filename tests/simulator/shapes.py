"""What a message looks like, whatever it says."""


def shape(value: object) -> object:
    """Keys and JSON types, all the way down; a list is as its first element."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__
