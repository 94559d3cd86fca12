"""What every venue's refusals have in common. Pure."""


class Refused(Exception):
    """The venue says no; each venue's own refusal holds its code and its words."""
