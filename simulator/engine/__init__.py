"""What every venue does with orders; each venue's `Rules` say how."""
