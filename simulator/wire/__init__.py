"""What every venue's wire has in some form: calls, fields, pages, meters, sessions."""
