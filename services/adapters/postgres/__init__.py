"""PostgreSQL: schema, roles, line, and the classifier's repository."""
